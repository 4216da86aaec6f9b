/* A region in a static array, used by one program: every function of the header once, and what it says to
 * mistakes. */
#include "check.h"

#include <string.h>

typedef struct {
  uint64_t time_ns;
  double angle_rad;
} reading;
#define READING "{time_ns:u64@0;angle_rad:f64@8;size=16}"

/* What all regions must be aligned to is the line of their plan. */
static union {
  uint64_t align;
  uint8_t bytes[16384];
} memory_;
static uint8_t *memory;

static void make(strait_region_t *region, strait_channel_t *channels, uint32_t count) {
  strait_plan_t plan;
  uint32_t size = 0;
  memset(&plan, 0, sizeof plan);
  plan.channels = channels;
  plan.channel_count = count;
  plan.line = 8;
  plan.participants = 4;
  OK(strait_plan_size(&plan, &size));
  THAT(size > 0 && size <= sizeof memory_);
  CHECK(strait_format(memory, size - 1, &plan, 7, false), STRAIT_STATUS_TOO_SHORT);
  CHECK(strait_format(memory + 4, size, &plan, 7, false), STRAIT_STATUS_MISALIGNED);
  CHECK(strait_format(NULL, size, &plan, 7, false), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_attach(region, memory, size, NULL), STRAIT_STATUS_UNINITIALISED);
  OK(strait_format(memory, size, &plan, 7, false));
  CHECK(strait_attach(region, memory, size - 1, NULL), STRAIT_STATUS_TOO_SHORT);
  CHECK(strait_attach(region, memory + 4, size - 4, NULL), STRAIT_STATUS_MISALIGNED);
  OK(strait_attach(region, memory, size, NULL));
  CHECK(strait_attach(region, memory, size, NULL), STRAIT_STATUS_IN_USE);
  plan.channel_count = STRAIT_MAX_CHANNELS + 1;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
}

static void frames(strait_region_t *region) {
  strait_producer_t tx = {0}, other = {0};
  strait_consumer_t rx = {0};
  strait_received_t received;
  strait_end_t end;
  char buffer[64];
  uint32_t sequence = 9;
  size_t i;
  CHECK(strait_producer_try_send(&tx, 0, "", 0), STRAIT_STATUS_NOT_OPEN);
  CHECK(strait_producer_open(NULL, region, "log"), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_producer_open((strait_producer_t *)(memory + 1), region, "log"), STRAIT_STATUS_MISALIGNED);
  CHECK(strait_producer_open(&tx, NULL, "log"), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_producer_open(&tx, region, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_producer_open(&tx, region, "a name that is much longer than any"), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_producer_open(&tx, region, "gains"), STRAIT_STATUS_KIND);
  OK(strait_producer_open(&tx, region, "log"));
  CHECK(strait_producer_open(&tx, region, "log"), STRAIT_STATUS_IN_USE);
  CHECK(strait_producer_open(&other, region, "log"), STRAIT_STATUS_BUSY);
  CHECK(strait_region_close(region), STRAIT_STATUS_IN_USE);
  /* An object that was moved is found out. */
  memcpy(&other, &tx, sizeof tx);
  CHECK(strait_producer_try_send(&other, 0, "", 0), STRAIT_STATUS_NOT_OPEN);
  CHECK(strait_consumer_close((strait_consumer_t *)(void *)&tx), STRAIT_STATUS_NOT_OPEN);

  OK(strait_consumer_open(&rx, region, "log", NULL));
  CHECK(strait_consumer_try_recv(&rx, buffer, sizeof buffer, &received), STRAIT_STATUS_EMPTY);
  CHECK(strait_consumer_recv_timeout(&rx, buffer, sizeof buffer, &received, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_producer_try_send(&tx, 7, "motor on", 8));
  OK(strait_producer_try_send(&tx, 8, NULL, 0));
  CHECK(strait_producer_try_send(&tx, 8, NULL, 1), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_producer_try_send(&tx, 8, memory, 33), STRAIT_STATUS_TOO_LARGE);
  memset(&received, 0, sizeof received);
  CHECK(strait_consumer_try_recv(&rx, buffer, 7, &received), STRAIT_STATUS_TOO_SMALL);
  THAT(received.len == 8);
  CHECK(strait_consumer_recv_timeout(&rx, buffer, 7, NULL, 0), STRAIT_STATUS_TOO_SMALL);
  OK(strait_consumer_try_recv(&rx, buffer, sizeof buffer, &received));
  THAT(received.tag == 7 && received.sequence == 0 && received.len == 8 && !memcmp(buffer, "motor on", 8));
  OK(strait_consumer_recv_timeout(&rx, NULL, 0, NULL, 0));
  OK(strait_consumer_release(&rx));
  OK(strait_consumer_flush(&rx));
  OK(strait_producer_next_sequence(&tx, &sequence));
  THAT(sequence == 2);
  for (i = 0; strait_producer_try_send(&tx, 0, memory, 32) == STRAIT_STATUS_OK; i++) {
    THAT(i < 100);
  }
  CHECK(strait_producer_send_timeout(&tx, 0, memory, 32, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_producer_end(&tx, &end));
  THAT(end.capacity == 256 && end.max_len == 32 && end.peer == STRAIT_PEER_PRESENT && end.fault == 0);
  OK(strait_consumer_end(&rx, &end));
  THAT(end.len == i && end.taken_over_from == 0);
  OK(strait_producer_close(&tx));
  CHECK(strait_producer_close(&tx), STRAIT_STATUS_NOT_OPEN);
  OK(strait_consumer_end(&rx, &end));
  THAT(end.peer == STRAIT_PEER_ABSENT);
  OK(strait_consumer_close(&rx));
}

static void values(strait_region_t *region, const char *name) {
  const uint64_t hash = strait_type_hash(READING);
  strait_consumer_options_t options = {true, 1};
  strait_typed_producer_t tx = {0};
  strait_typed_consumer_t rx = {0};
  strait_end_t end;
  reading in = {1, 0.5}, out = {0, 0};
  uint32_t sequence = 0;
  CHECK(strait_typed_producer_open(&tx, region, name, hash + 1, sizeof in), STRAIT_STATUS_TYPE);
  CHECK(strait_typed_producer_open(&tx, region, name, hash, sizeof in - 1), STRAIT_STATUS_TYPE);
  OK(strait_typed_producer_open(&tx, region, name, hash, sizeof in));
  OK(strait_typed_consumer_open(&rx, region, name, hash, sizeof in, &options));
  CHECK(strait_typed_producer_try_send(&tx, &in, sizeof in - 1), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_typed_consumer_try_recv(&rx, &out, sizeof out, NULL), STRAIT_STATUS_EMPTY);
  for (in.time_ns = 0; in.time_ns < 20; in.time_ns++) {
    OK(strait_typed_producer_try_send(&tx, &in, sizeof in));
    OK(strait_typed_producer_send_timeout(&tx, &in, sizeof in, 0));
    OK(strait_typed_consumer_try_recv(&rx, &out, sizeof out, &sequence));
    OK(strait_typed_consumer_recv_timeout(&rx, &out, sizeof out, &sequence, 0));
    THAT(out.time_ns == in.time_ns && out.angle_rad == 0.5 && sequence == 2 * in.time_ns + 1);
  }
  CHECK(strait_typed_consumer_try_recv(&rx, &out, 0, NULL), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_typed_consumer_release(&rx));
  OK(strait_typed_consumer_flush(&rx));
  OK(strait_typed_producer_end(&tx, &end));
  THAT(end.len == 0 && end.capacity == 4 && end.max_len == sizeof in);
  OK(strait_typed_consumer_end(&rx, &end));
  OK(strait_typed_producer_close(&tx));
  OK(strait_typed_consumer_close(&rx));
}

static void latest(strait_region_t *region) {
  strait_latest_writer_t writer = {0};
  strait_latest_reader_t reader = {0};
  strait_value_t value;
  reading in = {3, 0.25}, out;
  uint64_t number = 0;
  OK(strait_latest_writer_open(&writer, region, "angle", strait_type_hash(READING), sizeof in));
  OK(strait_latest_reader_open(&reader, region, "angle"));
  CHECK(strait_latest_read(&reader, &out, sizeof out, &value), STRAIT_STATUS_EMPTY);
  CHECK(strait_latest_publish(&writer, 0, &in, sizeof in - 1, NULL), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_latest_publish(&writer, 5, &in, sizeof in, &number));
  THAT(number == 1);
  CHECK(strait_latest_read(&reader, &out, 8, &value), STRAIT_STATUS_TOO_SMALL);
  CHECK(strait_latest_read(&reader, &out, sizeof out, &value), STRAIT_STATUS_STALE);
  THAT(value.number == 1 && value.tag == 5 && value.len == sizeof in && out.time_ns == 3);
  OK(strait_latest_publish(&writer, 5, &in, sizeof in, NULL));
  OK(strait_latest_wait_for_change(&reader, &out, sizeof out, &value, 0));
  CHECK(strait_latest_wait_for_change(&reader, &out, sizeof out, NULL, 0), STRAIT_STATUS_STALE);
  OK(strait_latest_writer_close(&writer));
  CHECK(strait_latest_writer_open(&writer, region, "angle", 0, 0), STRAIT_STATUS_TYPE);
  OK(strait_latest_writer_open(&writer, region, "note", 0, 0));
  OK(strait_latest_publish(&writer, 5, "any length", 10, NULL));
  CHECK(strait_latest_publish(&writer, 5, memory, 33, NULL), STRAIT_STATUS_TOO_LARGE);
  OK(strait_latest_writer_close(&writer));
  OK(strait_latest_reader_close(&reader));
}

static void broadcast(strait_region_t *region) {
  strait_broadcast_writer_t writer = {0};
  strait_broadcast_reader_t reader = {0}, late = {0};
  strait_channel_state_t state;
  strait_value_t value;
  reading in = {3, 0.25}, out;
  uint64_t number = 0, lost = 0;
  int i;
  OK(strait_broadcast_writer_open(&writer, region, "state", strait_type_hash(READING), sizeof in));
  CHECK(strait_broadcast_reader_open(&reader, region, "state", 2), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_broadcast_reader_open(&reader, region, "angle", STRAIT_BROADCAST_NEWEST), STRAIT_STATUS_KIND);
  OK(strait_broadcast_reader_open(&reader, region, "state", STRAIT_BROADCAST_NEWEST));
  CHECK(strait_broadcast_try_recv(&reader, &out, sizeof out, &value, &lost), STRAIT_STATUS_EMPTY);
  CHECK(strait_broadcast_recv_timeout(&reader, &out, sizeof out, &value, &lost, 0), STRAIT_STATUS_TIMED_OUT);
  CHECK(strait_broadcast_publish(&writer, 0, &in, sizeof in - 1, NULL), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_broadcast_publish(&writer, 5, &in, sizeof in, &number));
  THAT(number == 1);
  OK(strait_broadcast_try_recv(&reader, &out, sizeof out, &value, &lost));
  THAT(value.number == 1 && value.tag == 5 && value.len == sizeof in && out.time_ns == 3);
  for (i = 2; i <= 8; i++) {
    in.time_ns = (uint64_t)i;
    OK(strait_broadcast_publish(&writer, 5, &in, sizeof in, NULL));
  }
  CHECK(strait_broadcast_try_recv(&reader, &out, sizeof out, &value, &lost), STRAIT_STATUS_LAGGED);
  THAT(lost == 6);
  OK(strait_broadcast_recv_timeout(&reader, &out, sizeof out, NULL, NULL, 0));
  THAT(out.time_ns == 8);
  OK(strait_broadcast_reader_open(&late, region, "state", STRAIT_BROADCAST_OLDEST));
  CHECK(strait_broadcast_try_recv(&late, &out, 8, &value, NULL), STRAIT_STATUS_TOO_SMALL);
  THAT(value.number == 6 && value.len == sizeof in && out.time_ns == 6);
  OK(strait_broadcast_set_start(&late, STRAIT_BROADCAST_NEWEST));
  OK(strait_channel_state(region, "state", &state));
  THAT(state.sent == 8 && state.len == 4 && state.producer != 0);
  OK(strait_broadcast_reader_close(&late));
  OK(strait_broadcast_reader_close(&reader));
  OK(strait_broadcast_writer_close(&writer));
  CHECK(strait_broadcast_writer_open(&writer, region, "state", 0, 0), STRAIT_STATUS_TYPE);
}

static void locks(strait_region_t *region) {
  const uint64_t hash = strait_type_hash(READING);
  strait_mutex_t mutex = {0}, other = {0};
  strait_semaphore_t ticks = {0};
  strait_channel_state_t state;
  reading in = {4, 1.5}, out = {9, 9};
  uint32_t count = 0, version = 0, takeovers = 1;
  OK(strait_mutex_open(&mutex, region, "gains", hash, sizeof in));
  OK(strait_mutex_open(&other, region, "gains", hash, sizeof in));
  CHECK(strait_mutex_get(&mutex, &out, sizeof out), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_mutex_unlock(&mutex), STRAIT_STATUS_WRONG_STATE);
  OK(strait_mutex_try_lock(&mutex));
  CHECK(strait_mutex_try_lock(&mutex), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_mutex_try_lock(&other), STRAIT_STATUS_DEADLOCK);
  CHECK(strait_mutex_lock_timeout(&other, 1000), STRAIT_STATUS_DEADLOCK);
  CHECK(strait_mutex_roll_back(&mutex), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_mutex_mark_consistent(&mutex), STRAIT_STATUS_WRONG_STATE);
  OK(strait_mutex_get(&mutex, &out, sizeof out));
  THAT(out.time_ns == 0);
  CHECK(strait_mutex_set(&mutex, &in, sizeof in - 1), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_mutex_set(&mutex, &in, sizeof in));
  OK(strait_mutex_version(&mutex, &version, &takeovers));
  THAT(version == 1 && takeovers == 0);
  OK(strait_channel_state(region, "gains", &state));
  THAT(state.producer == strait_region_ident(region) && state.sent == 1 && !state.poisoned);
  OK(strait_mutex_unlock(&mutex));
  OK(strait_mutex_lock_timeout(&other, 0));
  OK(strait_mutex_get(&other, &out, sizeof out));
  THAT(out.time_ns == 4 && out.angle_rad == 1.5);
  CHECK(strait_mutex_reinitialise(&mutex, &in, sizeof in), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_mutex_reinitialise(&mutex, &in, 1), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_mutex_close(&other));
  OK(strait_mutex_try_lock(&mutex));
  OK(strait_mutex_close(&mutex));

  OK(strait_semaphore_open(&ticks, region, "ticks"));
  OK(strait_semaphore_try_acquire(&ticks));
  CHECK(strait_semaphore_try_acquire(&ticks), STRAIT_STATUS_EMPTY);
  CHECK(strait_semaphore_acquire_timeout(&ticks, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_semaphore_release(&ticks, 3));
  CHECK(strait_semaphore_release(&ticks, 1), STRAIT_STATUS_OVERFLOW);
  OK(strait_semaphore_count(&ticks, &count));
  THAT(count == 3);
  OK(strait_semaphore_close(&ticks));
}

static void calls(strait_region_t *region) {
  const uint64_t asked = strait_type_hash("u32"), told = strait_type_hash(READING);
  strait_call_client_t client = {0};
  strait_call_server_t server = {0};
  strait_request_t request;
  const reading answer = {5, 0.5};
  reading got;
  uint32_t number = 7, seen = 0, one = 0, two = 0;
  uint16_t code = 0;
  bool may_have_run = true;
  CHECK(strait_call_client_open(&client, region, "drive", told, 16, told, 16), STRAIT_STATUS_TYPE);
  CHECK(strait_call_client_open(&client, region, "angle", asked, 4, told, 16), STRAIT_STATUS_KIND);
  OK(strait_call_client_open(&client, region, "drive", asked, 4, told, 16));
  OK(strait_call_server_open(&server, region, "drive", asked, 4, told, 16, false));
  CHECK(strait_call_server_try_next(&server, &seen, 4, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_call_server_next_timeout(&server, &seen, 4, NULL, 0), STRAIT_STATUS_TIMED_OUT);
  CHECK(strait_call_server_answer(&server, &answer, 16), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_call_server_refuse(&server, 1), STRAIT_STATUS_WRONG_STATE);

  CHECK(strait_call_client_try_call(&client, &number, 4, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_call_client_try_call(&client, &number, 3, &one), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_call_client_try_call(&client, &number, 4, &one));
  OK(strait_call_client_try_call(&client, &number, 4, &two));
  CHECK(strait_call_client_try_call(&client, &number, 4, &one), STRAIT_STATUS_FULL);
  CHECK(strait_call_client_post(&client, &number, 4), STRAIT_STATUS_FULL);
  CHECK(strait_call_client_poll(&client, one, &got, sizeof got, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_call_server_try_next(&server, &seen, 3, &request), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_call_server_try_next(&server, &seen, 4, &request));
  THAT(seen == 7 && request.caller != 0 && !request.is_post && !request.is_again);
  CHECK(strait_call_server_answer(&server, &answer, 15), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_call_server_answer(&server, &answer, 16));
  OK(strait_call_server_next_timeout(&server, &seen, 4, NULL, 0));
  OK(strait_call_server_refuse(&server, 99));
  CHECK(strait_call_client_wait_timeout(&client, two, &got, sizeof got, &code, 0), STRAIT_STATUS_REFUSED);
  THAT(code == 99);
  CHECK(strait_call_client_poll(&client, one, &got, 8, NULL), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_call_client_poll(&client, one, &got, sizeof got, NULL));
  THAT(got.time_ns == 5 && got.angle_rad == 0.5);
  CHECK(strait_call_client_poll(&client, one, &got, sizeof got, NULL), STRAIT_STATUS_UNKNOWN_TICKET);

  OK(strait_call_client_post(&client, &number, 4));
  CHECK(strait_call_client_call_timeout(&client, &number, 4, &got, sizeof got, &two, &code, 0),
        STRAIT_STATUS_TIMED_OUT);
  OK(strait_call_server_try_next(&server, &seen, 4, &request));
  THAT(request.is_post);
  OK(strait_call_server_answer(&server, &answer, 16));
  OK(strait_call_client_cancel(&client, two, &may_have_run));
  THAT(!may_have_run);
  CHECK(strait_call_client_cancel(&client, two, NULL), STRAIT_STATUS_UNKNOWN_TICKET);
  CHECK(strait_call_server_try_next(&server, &seen, 4, NULL), STRAIT_STATUS_EMPTY);
  OK(strait_call_server_close(&server));
  OK(strait_call_client_close(&client));
}

static void look(uint32_t size) {
  strait_region_t region = {0};
  strait_channel_info_t info;
  strait_channel_state_t state;
  strait_producer_t tx = {0};
  uint32_t count = 0;
  OK(strait_observe(&region, memory, size));
  THAT(strait_region_ident(&region) == 0);
  OK(strait_channel_count(&region, &count));
  THAT(count == 9);
  OK(strait_channel_info(&region, 0, &info));
  THAT(!strcmp((const char *)info.name, "log") && info.kind == STRAIT_KIND_FRAMES && info.capacity == 256);
  CHECK(strait_channel_info(&region, count, &info), STRAIT_STATUS_NOT_FOUND);
  OK(strait_channel_state(&region, "log", &state));
  THAT(state.sent > 2 && state.producer == 0 && state.refused > 0);
  CHECK(strait_channel_state(&region, "no such", &state), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_producer_open(&tx, &region, "log"), STRAIT_STATUS_READ_ONLY);
  OK(strait_region_close(&region));
}

int main(void) {
  const uint64_t hash = strait_type_hash(READING);
  strait_region_t region = {0};
  strait_channel_t channels[9];
  uint32_t i;
  memory = memory_.bytes;
  memset(channels, 0, sizeof channels);
  channels[0].name = "log";
  channels[0].kind = STRAIT_KIND_FRAMES;
  channels[0].capacity = 256;
  channels[0].size = 32;
  channels[0].flags = STRAIT_CONSUMER_MAY_BLOCK | STRAIT_PRODUCER_MAY_BLOCK;
  channels[1].name = "slots";
  channels[1].kind = STRAIT_KIND_SLOTS;
  channels[2].name = "compact";
  channels[2].kind = STRAIT_KIND_COMPACT;
  channels[3].name = "angle";
  channels[3].kind = STRAIT_KIND_LATEST;
  channels[4].name = "gains";
  channels[4].kind = STRAIT_KIND_MUTEX;
  for (i = 1; i < 5; i++) {
    channels[i].capacity = i < 3 ? 4 : 0;
    channels[i].size = sizeof(reading);
    channels[i].type_hash = hash;
  }
  channels[5].name = "note";
  channels[5].kind = STRAIT_KIND_LATEST;
  channels[5].size = 32;
  channels[6].name = "ticks";
  channels[6].kind = STRAIT_KIND_SEMAPHORE;
  channels[6].capacity = 3;
  channels[6].size = 1;
  channels[7].name = "drive";
  channels[7].kind = STRAIT_KIND_CALLS;
  channels[7].capacity = 2;
  channels[7].size = sizeof(uint32_t);
  channels[7].type_hash = strait_type_hash("u32");
  channels[7].answer_size = sizeof(reading);
  channels[7].answer_hash = hash;
  channels[8].name = "state";
  channels[8].kind = STRAIT_KIND_BROADCAST;
  channels[8].capacity = 4;
  channels[8].size = sizeof(reading);
  channels[8].type_hash = hash;
  THAT(hash == 0x33d875dae812bb69);
  make(&region, channels, 9);
  frames(&region);
  values(&region, "slots");
  values(&region, "compact");
  latest(&region);
  broadcast(&region);
  locks(&region);
  calls(&region);
  look(sizeof memory_);
  THAT(strait_status_text(12345) != NULL && strait_status_text(STRAIT_STATUS_FULL)[0] == 't');
  OK(strait_region_close(&region));
  CHECK(strait_region_close(&region), STRAIT_STATUS_NOT_OPEN);
  channels[1].type_hash = 0;
  {
    strait_plan_t plan = {channels, 8, 0, 0, NULL};
    CHECK(strait_plan_size(&plan, &i), STRAIT_STATUS_BAD_PLAN);
    CHECK(strait_plan_size(NULL, &i), STRAIT_STATUS_BAD_ARGUMENT);
    CHECK(strait_plan_size(&plan, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  }
  puts("local: done");
  return 0;
}
