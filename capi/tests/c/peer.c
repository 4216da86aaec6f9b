/* One part of a channel, until it is killed: peer REGION produce|consume|lock.
 *
 * Frame n holds n, its complement, and bytes that follow from it. A consumer that finds anything else, or a
 * gap, says so and ends; everything else ends by a signal or by a frame with tag 9. */
#define _POSIX_C_SOURCE 200809L
#include "strait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS 1000000ull
#define MAX_FRAME 512
#define LAST 9

/* As the Rust side describes them. */
typedef struct {
  uint64_t number;
  uint64_t inverse;
} pair;
#define PAIR "{number:u64@0;inverse:u64@8;size=16}"

static void fail(const char *what, strait_status status) {
  fprintf(stderr, "peer: %s: %s\n", what, strait_status_text(status));
  exit(1);
}

/* A role of one who was killed is free once the kernel has proof of it: until then, ask again. */
static int busy(strait_status status, const char *what) {
  const struct timespec moment = {0, 1000000};
  if (status == STRAIT_STATUS_OK) return 0;
  if (status != STRAIT_STATUS_BUSY) fail(what, status);
  nanosleep(&moment, NULL);
  return 1;
}

static size_t fill(uint8_t *frame, uint64_t number) {
  const pair head = {number, ~number};
  const size_t len = sizeof head + number * 37 % (MAX_FRAME - sizeof head);
  memset(frame, (int)(number & 0xff), len);
  memcpy(frame, &head, sizeof head);
  return len;
}

static void produce(strait_region_t *region) {
  strait_producer_t tx = {0};
  uint8_t frame[MAX_FRAME];
  uint32_t sequence = 0;
  while (busy(strait_producer_open(&tx, region, "frames"), "producer")) {
  }
  if (strait_producer_next_sequence(&tx, &sequence) != STRAIT_STATUS_OK) exit(1);
  puts(">ready");
  fflush(stdout);
  for (;;) {
    const size_t len = fill(frame, sequence);
    const strait_status sent = strait_producer_send_timeout(&tx, 0, frame, len, 100 * MS);
    if (sent == STRAIT_STATUS_OK) sequence++;
    else if (sent != STRAIT_STATUS_TIMED_OUT) fail("send", sent);
  }
}

static void consume(strait_region_t *region) {
  const strait_consumer_options_t options = {false, 4};
  strait_consumer_t rx = {0};
  strait_latest_writer_t seen = {0};
  strait_latest_reader_t seen_before = {0};
  uint8_t frame[MAX_FRAME], wanted[MAX_FRAME];
  strait_received_t got = {0, 0, 0};
  uint64_t next = 0, count = 0;
  int first = 1;
  strait_status status;
  while (busy(strait_consumer_open(&rx, region, "frames", &options), "consumer")) {
  }
  while (busy(strait_latest_writer_open(&seen, region, "seen", strait_type_hash("u64"), 8), "seen")) {
  }
  if (strait_latest_reader_open(&seen_before, region, "seen") != STRAIT_STATUS_OK) exit(1);
  status = strait_latest_read(&seen_before, &next, sizeof next, NULL);
  if (status != STRAIT_STATUS_OK && status != STRAIT_STATUS_EMPTY) fail("seen", status);
  puts(">ready");
  fflush(stdout);
  for (;;) {
    status = strait_consumer_recv_timeout(&rx, frame, sizeof frame, &got, 100 * MS);
    if (status == STRAIT_STATUS_TIMED_OUT) continue;
    if (status != STRAIT_STATUS_OK) fail("receive", status);
    /* A successor may see four released frames and the one in use again, and must not miss anything. */
    if (got.sequence > next || got.sequence + (first ? 5 : 0) < next) {
      fprintf(stderr, "peer: frame %" PRIu32 " where %" PRIu64 " should be\n", got.sequence, next);
      exit(1);
    }
    if (got.tag == LAST) break;
    if (got.len != fill(wanted, got.sequence) || memcmp(frame, wanted, got.len) != 0) {
      fprintf(stderr, "peer: frame %" PRIu32 " is not what was sent\n", got.sequence);
      exit(1);
    }
    first = 0;
    count++;
    next = (uint64_t)got.sequence + 1;
    if (strait_latest_publish(&seen, 0, &next, sizeof next, NULL) != STRAIT_STATUS_OK) exit(1);
  }
  printf(">%" PRIu64 "\n", count);
  if (strait_consumer_close(&rx) != STRAIT_STATUS_OK) exit(1);
}

static void lock(strait_region_t *region) {
  strait_mutex_t mutex = {0};
  strait_status status = strait_mutex_open(&mutex, region, "pair", strait_type_hash(PAIR), sizeof(pair));
  pair value;
  if (status != STRAIT_STATUS_OK) fail("mutex", status);
  puts(">ready");
  fflush(stdout);
  for (;;) {
    status = strait_mutex_lock_timeout(&mutex, 100 * MS);
    if (status == STRAIT_STATUS_TIMED_OUT) continue;
    if (status == STRAIT_STATUS_OWNER_DIED) status = strait_mutex_roll_back(&mutex);
    if (status != STRAIT_STATUS_OK) fail("lock", status);
    if (strait_mutex_get(&mutex, &value, sizeof value) != STRAIT_STATUS_OK) exit(1);
    if (value.number != ~value.inverse && value.inverse != 0) {
      fprintf(stderr, "peer: a torn value\n");
      exit(1);
    }
    value.number++;
    value.inverse = ~value.number;
    if (strait_mutex_set(&mutex, &value, sizeof value) != STRAIT_STATUS_OK) exit(1);
    status = strait_mutex_unlock(&mutex);
    if (status != STRAIT_STATUS_OK) fail("unlock", status);
  }
}

int main(int argc, char **argv) {
  strait_region_t region = {0};
  strait_status status;
  if (argc != 3) return 2;
  status = strait_open(&region, argv[1], 0);
  if (status != STRAIT_STATUS_OK) fail(argv[1], status);
  if (!strcmp(argv[2], "produce")) produce(&region);
  else if (!strcmp(argv[2], "consume")) consume(&region);
  else if (!strcmp(argv[2], "lock")) lock(&region);
  else return 2;
  return 0;
}
