/* C firmware on a Cortex-M3: the timer's interrupt measures, the main loop works on it, through a region in a static
 * array. To make it yours, keep what calls strait, and replace board.c. */
#include "board.h"
#include "strait.h"

#include <string.h>

#define SAMPLES 2000

typedef struct {
  uint32_t number;
  uint32_t inverse;
} sample;
#define SAMPLE "{number:u32@0;inverse:u32@4;size=8}"

static const strait_channel_t CHANNELS[] = {
    /* Written out in the order of the fields, so that a compiler for C++ takes it too. */
    {"samples", STRAIT_KIND_COMPACT, 8, sizeof(sample), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"log", STRAIT_KIND_FRAMES, 512, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"angle", STRAIT_KIND_LATEST, 0, sizeof(sample), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"total", STRAIT_KIND_MUTEX, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};
#define COUNT (sizeof CHANNELS / sizeof CHANNELS[0])

static union {
  uint64_t align;
  uint8_t bytes[2048];
} memory;

/* Of the interrupt. It has a participant of its own, so that a lock tells it from the main loop. */
static strait_region_t interrupt_region;
static strait_typed_producer_t samples_out;
static strait_producer_t log_out;
static strait_latest_writer_t angle_out;
static strait_mutex_t interrupt_total;
static uint32_t measured, refused, added, busy;

static void check(strait_status status, strait_status wanted, const char *what) {
  if (status == wanted) return;
  say(what);
  say(": ");
  say(strait_status_text(status));
  say("\n");
  finish(1);
}
#define OK(call) check(call, STRAIT_STATUS_OK, #call)

/* Adds one to the value of a mutex that is locked, and unlocks it. */
static void add_one(strait_mutex_t *mutex) {
  uint32_t total = 0;
  OK(strait_mutex_get(mutex, &total, sizeof total));
  total++;
  OK(strait_mutex_set(mutex, &total, sizeof total));
  OK(strait_mutex_unlock(mutex));
}

void tick(void) {
  const sample now = {measured, ~measured};
  const strait_status sent = strait_typed_producer_try_send(&samples_out, &now, sizeof now);
  strait_status locked;
  if (sent == STRAIT_STATUS_FULL) {
    refused++;
    return;
  }
  check(sent, STRAIT_STATUS_OK, "send");
  OK(strait_latest_publish(&angle_out, 0, &now, sizeof now, NULL));
  if (measured % 8 == 0) OK(strait_producer_try_send(&log_out, measured, "an eighth", 9));
  measured++;
  /* The main loop may have the lock: an interrupt never waits. */
  locked = strait_mutex_try_lock(&interrupt_total);
  if (locked == STRAIT_STATUS_BUSY) {
    busy++;
    return;
  }
  check(locked, STRAIT_STATUS_OK, "lock in the interrupt");
  add_one(&interrupt_total);
  added++;
}

/* Lays the region out; types are told by their hash. */
static void make_region(void) {
  strait_channel_t channels[COUNT];
  strait_plan_t plan = {channels, COUNT, 4, 2, NULL};
  uint32_t size = 0;
  memcpy(channels, CHANNELS, sizeof CHANNELS);
  channels[0].type_hash = channels[2].type_hash = strait_type_hash(SAMPLE);
  channels[3].type_hash = strait_type_hash("u32");
  OK(strait_plan_size(&plan, &size));
  check(strait_format(memory.bytes, size - 1, &plan, 1, false), STRAIT_STATUS_TOO_SHORT, "a region cut short");
  OK(strait_format(memory.bytes, sizeof memory, &plan, 1, true));
}

int main(void) {
  static strait_region_t region;
  static strait_typed_consumer_t samples;
  static strait_consumer_t log;
  static strait_latest_reader_t angle;
  static strait_mutex_t total;
  strait_received_t frame;
  strait_channel_state_t state;
  sample got, latest;
  uint32_t next = 0, logged = 0, here = 0, sum = 0;
  char line[40];

  make_region();
  OK(strait_attach(&region, memory.bytes, sizeof memory, NULL));
  OK(strait_attach(&interrupt_region, memory.bytes, sizeof memory, NULL));
  OK(strait_typed_producer_open(&samples_out, &interrupt_region, "samples", strait_type_hash(SAMPLE), 8));
  OK(strait_producer_open(&log_out, &interrupt_region, "log"));
  OK(strait_latest_writer_open(&angle_out, &interrupt_region, "angle", strait_type_hash(SAMPLE), 8));
  OK(strait_mutex_open(&interrupt_total, &interrupt_region, "total", strait_type_hash("u32"), 4));
  OK(strait_typed_consumer_open(&samples, &region, "samples", strait_type_hash(SAMPLE), 8, NULL));
  OK(strait_consumer_open(&log, &region, "log", NULL));
  OK(strait_latest_reader_open(&angle, &region, "angle"));
  OK(strait_mutex_open(&total, &region, "total", strait_type_hash("u32"), 4));
  check(strait_typed_producer_try_send(&samples_out, &got, 7), STRAIT_STATUS_WRONG_SIZE, "too few bytes");

  start_ticking(12000);
  while (next < SAMPLES) {
    const strait_status status = strait_typed_consumer_try_recv(&samples, &got, sizeof got, NULL);
    if (status == STRAIT_STATUS_OK) {
      if (got.number != next || got.inverse != ~next) finish(2);
      next++;
      OK(strait_latest_read(&angle, &latest, sizeof latest, NULL));
      if (latest.number < got.number || latest.inverse != ~latest.number) finish(3);
    } else {
      check(status, STRAIT_STATUS_EMPTY, "receive");
    }
    while (strait_consumer_try_recv(&log, line, sizeof line, &frame) == STRAIT_STATUS_OK) {
      if (frame.sequence != logged || frame.tag != 8 * logged || memcmp(line, "an eighth", 9) != 0) finish(4);
      logged++;
    }
    OK(strait_mutex_lock_timeout(&total, 0));
    add_one(&total);
    here++;
  }
  stop_ticking();

  OK(strait_mutex_try_lock(&total));
  OK(strait_mutex_get(&total, &sum, sizeof sum));
  OK(strait_mutex_unlock(&total));
  if (sum != here + added || added + busy != measured || added == 0) finish(5);
  OK(strait_channel_state(&region, "samples", &state));
  if (state.sent != measured || state.refused != refused) finish(6);
  check(strait_region_close(&region), STRAIT_STATUS_IN_USE, "a region in use");
  OK(strait_typed_consumer_close(&samples));
  OK(strait_consumer_close(&log));
  OK(strait_latest_reader_close(&angle));
  OK(strait_mutex_close(&total));
  OK(strait_region_close(&region));
  say(busy > 0 ? "the interrupt met the main loop's lock\n" : "");
  say("PASS a C interrupt and its main loop: 2000 samples in order, latest values whole, a lock's total exact\n");
  finish(0);
  return 0;
}
