/* One wait for receivers of all kinds, in a static array, used by one program: each is found when it alone has
 * something, and mistakes are refused. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[32768];
} memory;

enum { FRAMES, VALUES, LANES, TYPED_LANES, FANOUT, SERVER, LANES_SERVER, LATEST, BROADCAST, COUNT };

/* What a wait finds now, or COUNT. */
static size_t found(strait_region_t *region, const strait_waitable_t *all) {
  size_t index = 99;
  const strait_status status = strait_wait_any_timeout(region, all, COUNT, &index, 0);
  if (status == STRAIT_STATUS_TIMED_OUT) {
    return COUNT;
  }
  OK(status);
  return index;
}

static void waits(strait_region_t *region, uint64_t hash) {
  strait_producer_t frame_tx = {0}, lane_tx = {0};
  strait_typed_producer_t value_tx = {0}, typed_lane_tx = {0};
  strait_fanout_producer_t fanout_tx = {0};
  strait_call_client_t client = {0}, lane_client = {0};
  strait_consumer_t frames = {0};
  strait_typed_consumer_t values = {0};
  strait_lanes_consumer_t lanes = {0};
  strait_typed_lanes_consumer_t typed_lanes = {0};
  strait_fanout_consumer_t fanout = {0}, other = {0};
  strait_call_server_t server = {0};
  strait_lanes_server_t lanes_server = {0};
  strait_latest_writer_t latest_tx = {0};
  strait_latest_reader_t latest = {0};
  strait_broadcast_writer_t broadcast_tx = {0};
  strait_broadcast_reader_t broadcast = {0};
  strait_waitable_t all[COUNT];
  uint32_t value = 5, ticket, lane;
  char buffer[32];
  size_t index = 99;
  memset(all, 0, sizeof all);
  CHECK(strait_wait_any_timeout(region, all, COUNT, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  all[FRAMES].frames = &frames;
  all[VALUES].values = &values;
  all[LANES].lanes = &lanes;
  all[TYPED_LANES].typed_lanes = &typed_lanes;
  all[FANOUT].fanout = &fanout;
  all[SERVER].server = &server;
  all[LANES_SERVER].lanes_server = &lanes_server;
  all[LATEST].latest = &latest;
  all[BROADCAST].broadcast = &broadcast;
  CHECK(strait_wait_any_timeout(region, all, COUNT, &index, 0), STRAIT_STATUS_NOT_OPEN);
  OK(strait_consumer_open(&frames, region, "frames", NULL));
  OK(strait_typed_consumer_open(&values, region, "values", hash, 4, NULL));
  OK(strait_lanes_consumer_open(&lanes, region, "lanes", NULL));
  OK(strait_typed_lanes_consumer_open(&typed_lanes, region, "typed lanes", hash, 4, NULL));
  OK(strait_fanout_consumer_open(&fanout, region, "fan-out", hash, 4, 1, NULL, NULL));
  OK(strait_call_server_open(&server, region, "calls", hash, 4, hash, 4, false));
  CHECK(strait_wait_any_timeout(region, all, COUNT, &index, 0), STRAIT_STATUS_NOT_OPEN);
  OK(strait_lanes_server_open(&lanes_server, region, "many calls", hash, 4, hash, 4, false));
  OK(strait_latest_reader_open(&latest, region, "latest"));
  OK(strait_broadcast_reader_open(&broadcast, region, "broadcast", STRAIT_BROADCAST_NEWEST));
  OK(strait_latest_writer_open(&latest_tx, region, "latest", hash, 4));
  OK(strait_broadcast_writer_open(&broadcast_tx, region, "broadcast", hash, 4));
  OK(strait_producer_open(&frame_tx, region, "frames"));
  OK(strait_typed_producer_open(&value_tx, region, "values", hash, 4));
  OK(strait_producer_open_lane(&lane_tx, region, "lanes", 1, NULL));
  OK(strait_typed_producer_open_lane(&typed_lane_tx, region, "typed lanes", hash, 4, 0, NULL));
  OK(strait_fanout_producer_open(&fanout_tx, region, "fan-out", hash, 4));
  OK(strait_call_client_open(&client, region, "calls", hash, 4, hash, 4));
  OK(strait_call_client_open_lane(&lane_client, region, "many calls", hash, 4, hash, 4, 1, NULL));
  THAT(found(region, all) == COUNT);

  OK(strait_producer_try_send(&frame_tx, 1, "one", 3));
  THAT(found(region, all) == FRAMES);
  OK(strait_consumer_try_recv(&frames, buffer, sizeof buffer, NULL));
  THAT(found(region, all) == COUNT);
  OK(strait_typed_producer_try_send(&value_tx, &value, 4));
  THAT(found(region, all) == VALUES);
  OK(strait_typed_consumer_try_recv(&values, &value, 4, NULL));
  THAT(found(region, all) == COUNT);
  OK(strait_producer_try_send(&lane_tx, 1, "two", 3));
  THAT(found(region, all) == LANES);
  OK(strait_lanes_consumer_try_recv(&lanes, buffer, sizeof buffer, NULL, &lane));
  THAT(lane == 1 && found(region, all) == COUNT);
  OK(strait_typed_producer_try_send(&typed_lane_tx, &value, 4));
  THAT(found(region, all) == TYPED_LANES);
  OK(strait_typed_lanes_consumer_try_recv(&typed_lanes, &value, 4, NULL, NULL));
  THAT(found(region, all) == COUNT);
  OK(strait_fanout_try_send(&fanout_tx, &value, 4));
  THAT(found(region, all) == FANOUT);
  OK(strait_fanout_try_recv(&fanout, &value, 4, NULL));
  THAT(found(region, all) == COUNT);
  OK(strait_call_client_try_call(&client, &value, 4, &ticket));
  THAT(found(region, all) == SERVER);
  OK(strait_call_server_try_next(&server, &value, 4, NULL));
  OK(strait_call_server_answer(&server, &value, 4));
  THAT(found(region, all) == COUNT);
  OK(strait_call_client_try_call(&lane_client, &value, 4, &ticket));
  THAT(found(region, all) == LANES_SERVER);
  OK(strait_lanes_server_try_next(&lanes_server, &value, 4, NULL, &lane));
  OK(strait_lanes_server_answer(&lanes_server, lane, &value, 4));
  THAT(found(region, all) == COUNT);

  OK(strait_latest_publish(&latest_tx, 0, &value, 4, NULL));
  THAT(found(region, all) == LATEST);
  OK(strait_latest_read(&latest, &value, 4, NULL));
  THAT(found(region, all) == COUNT);
  OK(strait_broadcast_publish(&broadcast_tx, 0, &value, 4, NULL));
  THAT(found(region, all) == BROADCAST);
  OK(strait_broadcast_try_recv(&broadcast, &value, 4, NULL, NULL));
  THAT(found(region, all) == COUNT);

  /* The other consumer of the queue may wait beside it, but nobody twice, and a waitable is one receiver. */
  OK(strait_fanout_consumer_open(&other, region, "fan-out", hash, 4, 0, NULL, NULL));
  OK(strait_fanout_try_send(&fanout_tx, &value, 4));
  OK(strait_fanout_try_recv(&fanout, &value, 4, NULL));
  all[FRAMES].frames = NULL;
  all[FRAMES].fanout = &other;
  THAT(found(region, all) == FRAMES);
  OK(strait_fanout_consumer_close(&other));
  all[FRAMES].fanout = &fanout;
  CHECK(strait_wait_any_timeout(region, all, COUNT, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  all[FRAMES].fanout = NULL;
  all[FRAMES].frames = &frames;
  all[FRAMES].server = &server;
  CHECK(strait_wait_any_timeout(region, all, COUNT, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);

  OK(strait_broadcast_writer_close(&broadcast_tx));
  OK(strait_latest_writer_close(&latest_tx));
  OK(strait_broadcast_reader_close(&broadcast));
  OK(strait_latest_reader_close(&latest));
  OK(strait_call_client_close(&lane_client));
  OK(strait_call_client_close(&client));
  OK(strait_fanout_producer_close(&fanout_tx));
  OK(strait_typed_producer_close(&typed_lane_tx));
  OK(strait_producer_close(&lane_tx));
  OK(strait_typed_producer_close(&value_tx));
  OK(strait_producer_close(&frame_tx));
  OK(strait_lanes_server_close(&lanes_server));
  OK(strait_call_server_close(&server));
  OK(strait_fanout_consumer_close(&fanout));
  OK(strait_typed_lanes_consumer_close(&typed_lanes));
  OK(strait_lanes_consumer_close(&lanes));
  OK(strait_typed_consumer_close(&values));
  OK(strait_consumer_close(&frames));
}

int main(void) {
  strait_region_t region = {0};
  strait_channel_t channels[COUNT];
  strait_plan_t plan;
  uint32_t size = 0;
  int i;
  const uint64_t hash = strait_type_hash("u32");
  memset(&plan, 0, sizeof plan);
  memset(channels, 0, sizeof channels);
  for (i = 0; i < COUNT; i++) {
    channels[i].kind = i >= SERVER ? STRAIT_KIND_CALLS : STRAIT_KIND_SLOTS;
    channels[i].capacity = 4;
    channels[i].size = 4;
    channels[i].type_hash = hash;
    channels[i].flags = STRAIT_CONSUMER_MAY_BLOCK;
    channels[i].doorbell = 1;
  }
  channels[FRAMES].name = "frames";
  channels[VALUES].name = "values";
  channels[LANES].name = "lanes";
  channels[TYPED_LANES].name = "typed lanes";
  channels[FANOUT].name = "fan-out";
  channels[SERVER].name = "calls";
  channels[LANES_SERVER].name = "many calls";
  for (i = FRAMES; i <= LANES; i += LANES - FRAMES) {
    channels[i].kind = STRAIT_KIND_FRAMES;
    channels[i].capacity = 256;
    channels[i].size = 32;
    channels[i].type_hash = 0;
  }
  for (i = LATEST; i <= BROADCAST; i++) {
    channels[i].kind = i == LATEST ? STRAIT_KIND_LATEST : STRAIT_KIND_BROADCAST;
    channels[i].doorbell = 0;
  }
  channels[LATEST].name = "latest";
  channels[BROADCAST].name = "broadcast";
  for (i = SERVER; i <= LANES_SERVER; i++) {
    channels[i].answer_size = 4;
    channels[i].answer_hash = hash;
  }
  channels[LANES].producers = channels[TYPED_LANES].producers = channels[LANES_SERVER].producers = 2;
  channels[FANOUT].consumers = 2;
  plan.channels = channels;
  plan.channel_count = COUNT;
  plan.line = 8;
  plan.participants = 4;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  waits(&region, hash);
  OK(strait_region_close(&region));
  puts("waits: done");
  return 0;
}
