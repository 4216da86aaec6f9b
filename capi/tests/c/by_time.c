/* Lanes in the order of time stamps, and who is late, in a static array: every function once, and what it says to
 * mistakes. */
#include "check.h"

#include <string.h>

struct line {
  uint64_t time, code;
};

static union {
  uint64_t align;
  uint8_t bytes[16384];
} memory;

static const uint64_t HOUR = 3600 * UINT64_C(1000000000);

/* The clock stands still but for the test. */
static uint64_t now = 1000;

static uint64_t clock_ns(void *context) {
  (void)context;
  return now;
}

static void late(strait_region_t *region) {
  strait_producer_t tx = {0};
  strait_heartbeat_t beat = {0}, other = {0};
  strait_heartbeat_state_t state;
  CHECK(strait_heartbeat_check(&beat, &state), STRAIT_STATUS_NOT_OPEN);
  CHECK(strait_heartbeat_open(&beat, region, "no such"), STRAIT_STATUS_NOT_FOUND);
  OK(strait_heartbeat_open(&beat, region, "beat"));
  OK(strait_heartbeat_open(&other, region, "log"));
  now += 2000;
  OK(strait_heartbeat_check(&beat, &state));
  THAT(state.period_ns == 2000 && state.silence_ns == 2000 && state.late_by_ns == 0);
  now += 5;
  OK(strait_heartbeat_check(&beat, &state));
  THAT(state.silence_ns == 2005 && state.late_by_ns == 5);
  OK(strait_heartbeat_check(&other, &state));
  THAT(state.period_ns == 0 && state.silence_ns == 2005 && state.late_by_ns == 0);
  OK(strait_producer_open(&tx, region, "beat"));
  OK(strait_producer_try_send(&tx, 1, NULL, 0));
  OK(strait_heartbeat_check(&beat, &state));
  THAT(state.silence_ns == 0 && state.late_by_ns == 0);
  OK(strait_producer_close(&tx));
  OK(strait_heartbeat_close(&beat));
  OK(strait_heartbeat_close(&other));
}

static void frames(strait_region_t *region) {
  strait_producer_t tx[2] = {{0}, {0}};
  strait_lanes_consumer_t rx = {0};
  strait_time_order_t order = {0};
  strait_received_t received;
  struct line line = {0, 0};
  uint32_t lane = 77, i;
  OK(strait_lanes_consumer_open(&rx, region, "log", NULL));
  CHECK(strait_lanes_consumer_try_recv_by_time(&rx, &order, &line, sizeof line, NULL, NULL), STRAIT_STATUS_NOT_OPEN);
  CHECK(strait_lanes_consumer_try_recv_by_time(&rx, NULL, &line, sizeof line, NULL, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_time_order_open(&order, 0, 0, 0));
  CHECK(strait_time_order_open(&order, 0, 0, 0), STRAIT_STATUS_IN_USE);
  CHECK(strait_lanes_consumer_try_recv_by_time(&rx, &order, &line, sizeof line, NULL, NULL), STRAIT_STATUS_EMPTY);
  for (i = 0; i < 2; i++) {
    OK(strait_producer_open_lane(&tx[i], region, "log", i, NULL));
    line.time = 20 - 10 * i;
    OK(strait_producer_try_send(&tx[i], 7 + i, &line, sizeof line));
  }
  CHECK(strait_lanes_consumer_try_recv_by_time(&rx, &order, &line, 8, &received, &lane), STRAIT_STATUS_TOO_SMALL);
  THAT(received.len == sizeof line && lane == 1);
  OK(strait_lanes_consumer_try_recv_by_time(&rx, &order, &line, sizeof line, &received, &lane));
  THAT(received.tag == 8 && lane == 1 && line.time == 10);
  OK(strait_lanes_consumer_recv_by_time_timeout(&rx, &order, &line, sizeof line, &received, &lane, HOUR));
  THAT(received.tag == 7 && lane == 0 && line.time == 20);
  CHECK(strait_lanes_consumer_recv_by_time_timeout(&rx, &order, &line, sizeof line, NULL, NULL, 0),
        STRAIT_STATUS_TIMED_OUT);
  OK(strait_time_order_close(&order));
  CHECK(strait_time_order_close(&order), STRAIT_STATUS_NOT_OPEN);
  OK(strait_lanes_consumer_close(&rx));
  for (i = 0; i < 2; i++) {
    OK(strait_producer_close(&tx[i]));
  }
}

static void values(strait_region_t *region, uint64_t hash) {
  strait_typed_producer_t tx[2] = {{0}, {0}};
  strait_typed_lanes_consumer_t rx = {0};
  strait_time_order_t order = {0}, patient = {0};
  struct line line = {0, 0};
  uint32_t lane = 77, sequence = 9, i;
  OK(strait_typed_lanes_consumer_open(&rx, region, "lines", hash, sizeof line, NULL));
  OK(strait_time_order_open(&order, 0, 0, 1));
  for (i = 0; i < 2; i++) {
    OK(strait_typed_producer_open_lane(&tx[i], region, "lines", hash, sizeof line, i, NULL));
  }
  line.time = 9;
  OK(strait_typed_producer_try_send(&tx[0], &line, sizeof line));
  for (line.time = 5; line.time < 7; line.time++) {
    OK(strait_typed_producer_try_send(&tx[1], &line, sizeof line));
  }
  /* Another may come before the 9 once, as the order says. */
  for (i = 0; i < 3; i++) {
    const uint64_t times[] = {5, 9, 6};
    OK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &order, &line, sizeof line, &sequence, &lane));
    THAT(line.time == times[i] && lane == (i != 1) && sequence == (i == 2));
  }
  CHECK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &order, &line, 3, NULL, NULL), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &order, &line, sizeof line, NULL, NULL), STRAIT_STATUS_EMPTY);
  /* What the other lane has not said is waited for, by the clock. */
  OK(strait_time_order_open(&patient, 0, 100, 0));
  for (line.time = 30; line.time < 32; line.time++) {
    OK(strait_typed_producer_try_send(&tx[0], &line, sizeof line));
  }
  CHECK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &patient, &line, sizeof line, NULL, NULL),
        STRAIT_STATUS_EMPTY);
  CHECK(strait_typed_lanes_consumer_recv_by_time_timeout(&rx, &patient, &line, sizeof line, NULL, NULL, 0),
        STRAIT_STATUS_TIMED_OUT);
  now += 100;
  OK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &patient, &line, sizeof line, NULL, &lane));
  THAT(line.time == 30 && lane == 0);
  CHECK(strait_typed_lanes_consumer_try_recv_by_time(&rx, &patient, &line, sizeof line, NULL, NULL),
        STRAIT_STATUS_EMPTY);
  line.time = 32;
  OK(strait_typed_producer_try_send(&tx[1], &line, sizeof line));
  OK(strait_typed_lanes_consumer_recv_by_time_timeout(&rx, &patient, &line, sizeof line, NULL, &lane, HOUR));
  THAT(line.time == 31 && lane == 0);
  OK(strait_time_order_close(&order));
  OK(strait_time_order_close(&patient));
  OK(strait_typed_lanes_consumer_close(&rx));
  for (i = 0; i < 2; i++) {
    OK(strait_typed_producer_close(&tx[i]));
  }
}

int main(void) {
  const uint64_t hash = strait_type_hash("{time:u64@0;code:u64@8;size=16}");
  strait_region_t region = {0};
  strait_channel_t channels[3];
  strait_plan_t plan;
  strait_system_t system;
  uint32_t size = 0;
  memset(&plan, 0, sizeof plan);
  memset(&system, 0, sizeof system);
  system.now_ns = clock_ns;
  memset(channels, 0, sizeof channels);
  channels[0].name = "log";
  channels[0].kind = STRAIT_KIND_FRAMES;
  channels[0].capacity = 256;
  channels[0].size = 32;
  channels[0].producers = 2;
  channels[1].name = "lines";
  channels[1].kind = STRAIT_KIND_SLOTS;
  channels[1].capacity = 4;
  channels[1].size = sizeof(struct line);
  channels[1].type_hash = hash;
  channels[1].producers = 2;
  channels[2].name = "beat";
  channels[2].kind = STRAIT_KIND_FRAMES;
  channels[2].capacity = 64;
  channels[2].size = 4;
  channels[2].period_us = 2;
  plan.channels = channels;
  plan.channel_count = 3;
  plan.line = 8;
  plan.participants = 4;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, &system));
  frames(&region);
  values(&region, hash);
  late(&region);
  OK(strait_region_close(&region));
  puts("by_time: done");
  return 0;
}
