/* Queues with several producers, in a static array, used by one program: every function for lanes once, and what
 * it says to mistakes. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[16384];
} memory;

static void frames(strait_region_t *region) {
  strait_producer_t alarm = {0}, motor = {0}, valve = {0};
  strait_lanes_consumer_t rx = {0}, other = {0};
  strait_consumer_t alone = {0};
  strait_received_t received;
  strait_lane_t shown;
  char buffer[32];
  uint32_t lane = 77;
  CHECK(strait_producer_open(&alarm, region, "log"), STRAIT_STATUS_KIND);
  CHECK(strait_consumer_open(&alone, region, "log", NULL), STRAIT_STATUS_KIND);
  CHECK(strait_producer_open_lane(&alarm, region, "log", 3, NULL), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_producer_open_lane(&alarm, region, "no such", 0, NULL), STRAIT_STATUS_NOT_FOUND);
  OK(strait_producer_open_lane(&alarm, region, "log", 0, NULL));
  OK(strait_producer_open_lane(&motor, region, "log", STRAIT_ANY_LANE, &lane));
  THAT(lane == 1);
  OK(strait_producer_open_lane(&valve, region, "log", 2, &lane));
  THAT(lane == 2);

  CHECK(strait_lanes_consumer_try_recv(&rx, buffer, 32, NULL, NULL), STRAIT_STATUS_NOT_OPEN);
  OK(strait_lanes_consumer_open(&rx, region, "log", NULL));
  CHECK(strait_lanes_consumer_open(&other, region, "log", NULL), STRAIT_STATUS_BUSY);
  CHECK(strait_lanes_consumer_try_recv(&rx, buffer, 32, &received, &lane), STRAIT_STATUS_EMPTY);
  CHECK(strait_lanes_consumer_recv_timeout(&rx, buffer, 32, NULL, NULL, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_producer_try_send(&valve, 7, "valve open", 10));
  OK(strait_producer_try_send(&alarm, 8, "hot", 3));
  /* The alarm is urgent. */
  memset(&received, 0, sizeof received);
  CHECK(strait_lanes_consumer_try_recv(&rx, buffer, 2, &received, &lane), STRAIT_STATUS_TOO_SMALL);
  THAT(received.len == 3 && lane == 0);
  OK(strait_lanes_consumer_try_recv(&rx, buffer, 32, &received, &lane));
  THAT(received.tag == 8 && received.len == 3 && lane == 0 && !memcmp(buffer, "hot", 3));
  OK(strait_lanes_consumer_lane(&rx, 2, &shown));
  THAT(shown.lanes == 3 && shown.len == 1 && shown.peer == STRAIT_PEER_PRESENT && shown.fault == 0);
  OK(strait_lanes_consumer_recv_timeout(&rx, buffer, 32, &received, &lane, 0));
  THAT(received.tag == 7 && received.sequence == 0 && lane == 2);
  OK(strait_lanes_consumer_release(&rx));
  CHECK(strait_lanes_consumer_lane(&rx, 3, &shown), STRAIT_STATUS_NOT_FOUND);
  OK(strait_producer_close(&motor));
  OK(strait_lanes_consumer_lane(&rx, 1, &shown));
  THAT(shown.peer == STRAIT_PEER_ABSENT && shown.taken_over_from == 0);
  OK(strait_lanes_consumer_close(&rx));
  CHECK(strait_lanes_consumer_close(&rx), STRAIT_STATUS_NOT_OPEN);
  OK(strait_producer_close(&alarm));
  OK(strait_producer_close(&valve));
}

static void values(strait_region_t *region) {
  const uint64_t hash = strait_type_hash("u32");
  strait_typed_producer_t tx[2] = {{0}, {0}};
  strait_typed_lanes_consumer_t rx = {0};
  strait_lanes_options_t options;
  strait_channel_state_t state;
  strait_lane_t shown;
  uint32_t lane = 77, value, sequence = 9, i;
  CHECK(strait_typed_producer_open_lane(&tx[0], region, "steps", 1, 4, 0, NULL), STRAIT_STATUS_TYPE);
  CHECK(strait_typed_lanes_consumer_open(&rx, region, "many", hash, 4, NULL), STRAIT_STATUS_TOO_LARGE);
  OK(strait_typed_producer_open_lane(&tx[0], region, "steps", hash, 4, STRAIT_ANY_LANE, &lane));
  THAT(lane == 0);
  OK(strait_typed_producer_open_lane(&tx[1], region, "steps", hash, 4, 1, NULL));
  memset(&options, 0, sizeof options);
  options.burst = 1;
  options.each_lane.at_most_once = true;
  OK(strait_typed_lanes_consumer_open(&rx, region, "steps", hash, 4, &options));
  for (i = 0; i < 4; i++) {
    value = 10 * i;
    OK(strait_typed_producer_try_send(&tx[i / 2], &value, sizeof value));
  }
  OK(strait_lane_state(region, "steps", 1, &state));
  THAT(state.sent == 2 && state.len == 2 && state.producer != 0);
  CHECK(strait_lane_state(region, "steps", 2, &state), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_typed_lanes_consumer_try_recv(&rx, &value, 3, NULL, NULL), STRAIT_STATUS_WRONG_SIZE);
  for (i = 0; i < 4; i++) {
    OK(strait_typed_lanes_consumer_try_recv(&rx, &value, sizeof value, &sequence, &lane));
    THAT(lane == i % 2 && sequence == i / 2 && value == 20 * lane + 10 * sequence);
  }
  CHECK(strait_typed_lanes_consumer_try_recv(&rx, &value, 4, NULL, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_typed_lanes_consumer_recv_timeout(&rx, &value, 4, NULL, NULL, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_typed_lanes_consumer_release(&rx));
  OK(strait_typed_lanes_consumer_lane(&rx, 0, &shown));
  THAT(shown.lanes == 2 && shown.len == 0);
  OK(strait_typed_lanes_consumer_close(&rx));
  for (i = 0; i < 2; i++) {
    OK(strait_typed_producer_close(&tx[i]));
  }
}

int main(void) {
  strait_region_t region = {0};
  strait_channel_t channels[3];
  strait_channel_info_t info;
  strait_plan_t plan;
  uint32_t size = 0, count = 0;
  memset(&plan, 0, sizeof plan);
  memset(channels, 0, sizeof channels);
  channels[0].name = "log";
  channels[0].kind = STRAIT_KIND_FRAMES;
  channels[0].capacity = 256;
  channels[0].size = 32;
  channels[0].flags = STRAIT_CONSUMER_MAY_BLOCK;
  channels[0].producers = 3;
  channels[0].urgent_lanes = 1;
  channels[1].name = "steps";
  channels[1].kind = STRAIT_KIND_SLOTS;
  channels[1].capacity = 4;
  channels[1].size = 4;
  channels[1].type_hash = strait_type_hash("u32");
  channels[1].producers = 2;
  channels[2] = channels[1];
  channels[2].name = "many";
  channels[2].producers = STRAIT_MAX_LANES + 1;
  plan.channels = channels;
  plan.channel_count = 3;
  plan.line = 8;
  plan.participants = 4;
  channels[1].urgent_lanes = 3;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
  channels[1].urgent_lanes = 0;
  channels[1].producers = 257;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
  channels[1].producers = 2;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  OK(strait_channel_count(&region, &count));
  THAT(count == 3 + 2 + STRAIT_MAX_LANES + 1);
  OK(strait_channel_info(&region, 4, &info));
  THAT(!strcmp((const char *)info.name, "steps") && info.lane == 1 && info.lanes == 2);
  frames(&region);
  values(&region);
  OK(strait_region_close(&region));
  puts("lanes: done");
  return 0;
}
