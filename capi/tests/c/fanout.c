/* Queues with several consumers, in a static array, used by one program: every function for them once, and what it says
 * to mistakes. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[16384];
} memory;

static const uint32_t SIZE = sizeof(uint32_t);

static void everything(strait_region_t *region) {
  const uint64_t hash = strait_type_hash("u32");
  strait_fanout_producer_t tx = {0}, other = {0};
  strait_fanout_consumer_t disk = {0}, screen = {0}, third = {0};
  strait_typed_producer_t alone = {0};
  strait_typed_consumer_t one = {0};
  strait_slowest_t slowest;
  strait_fanout_end_t end;
  uint32_t joined = 77, value, sequence = 9, i;
  CHECK(strait_typed_producer_open(&alone, region, "log", hash, SIZE), STRAIT_STATUS_KIND);
  CHECK(strait_typed_consumer_open(&one, region, "log", hash, SIZE, NULL), STRAIT_STATUS_KIND);
  CHECK(strait_fanout_producer_open(&tx, region, "log", 1, SIZE), STRAIT_STATUS_TYPE);
  CHECK(strait_fanout_producer_open(&tx, region, "own", hash, SIZE), STRAIT_STATUS_KIND);
  CHECK(strait_fanout_try_send(&tx, &value, SIZE), STRAIT_STATUS_NOT_OPEN);
  OK(strait_fanout_producer_open(&tx, region, "log", hash, SIZE));
  CHECK(strait_fanout_producer_open(&other, region, "log", hash, SIZE), STRAIT_STATUS_BUSY);
  CHECK(strait_fanout_slowest(&tx, &slowest), STRAIT_STATUS_NOT_FOUND);

  CHECK(strait_fanout_consumer_open(&disk, region, "log", hash, SIZE, 2, NULL, NULL), STRAIT_STATUS_NOT_FOUND);
  OK(strait_fanout_consumer_open(&disk, region, "log", hash, SIZE, 1, NULL, NULL));
  OK(strait_fanout_consumer_open(&screen, region, "log", hash, SIZE, STRAIT_ANY_CONSUMER, NULL, &joined));
  THAT(joined == 0);
  CHECK(strait_fanout_consumer_open(&third, region, "log", hash, SIZE, STRAIT_ANY_CONSUMER, NULL, NULL),
        STRAIT_STATUS_BUSY);
  CHECK(strait_fanout_try_recv(&disk, &value, SIZE, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_fanout_recv_timeout(&disk, &value, SIZE, NULL, 0), STRAIT_STATUS_TIMED_OUT);
  CHECK(strait_fanout_try_send(&tx, &value, 3), STRAIT_STATUS_WRONG_SIZE);
  for (i = 0; i < 4; i++) {
    value = 10 * i;
    OK(strait_fanout_try_send(&tx, &value, SIZE));
  }
  for (i = 0; i < 4; i++) {
    OK(strait_fanout_try_recv(&screen, &value, SIZE, &sequence));
    THAT(value == 10 * i && sequence == i);
  }
  CHECK(strait_fanout_try_send(&tx, &value, SIZE), STRAIT_STATUS_FULL);
  CHECK(strait_fanout_send_timeout(&tx, &value, SIZE, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_fanout_slowest(&tx, &slowest));
  THAT(slowest.consumer == 1 && slowest.lag == 4 && slowest.who != 0);
  OK(strait_fanout_consumer_end(&disk, &end));
  THAT(end.consumer == 1 && end.lag == 4 && end.capacity == 4 && end.first == 0 && end.missed == 0);
  THAT(end.peer == STRAIT_PEER_PRESENT && end.taken_over_from == 0 && end.fault == 0);
  OK(strait_fanout_recv_timeout(&disk, &value, SIZE, &sequence, 0));
  THAT(value == 0 && sequence == 0);
  OK(strait_fanout_consumer_flush(&disk));
  OK(strait_fanout_consumer_flush(&screen));
  OK(strait_fanout_send_timeout(&tx, &value, SIZE, 0));
  /* One that leaves bounds nobody. */
  OK(strait_fanout_consumer_close(&disk));
  CHECK(strait_fanout_consumer_close(&disk), STRAIT_STATUS_NOT_OPEN);
  for (i = 0; i < 3; i++) {
    OK(strait_fanout_try_send(&tx, &value, SIZE));
  }
  OK(strait_fanout_producer_close(&tx));
  OK(strait_fanout_consumer_end(&screen, &end));
  THAT(end.lag == 4 && end.peer == STRAIT_PEER_ABSENT);
  OK(strait_fanout_consumer_close(&screen));
}

int main(void) {
  strait_region_t region = {0};
  strait_channel_t channels[2];
  strait_channel_info_t info;
  strait_plan_t plan;
  uint32_t size = 0, count = 0;
  memset(&plan, 0, sizeof plan);
  memset(channels, 0, sizeof channels);
  channels[0].name = "log";
  channels[0].kind = STRAIT_KIND_SLOTS;
  channels[0].capacity = 4;
  channels[0].size = 4;
  channels[0].type_hash = strait_type_hash("u32");
  channels[0].flags = STRAIT_CONSUMER_MAY_BLOCK | STRAIT_PRODUCER_MAY_BLOCK;
  channels[1] = channels[0];
  channels[1].name = "own";
  plan.channels = channels;
  plan.channel_count = 2;
  plan.line = 8;
  plan.participants = 4;
  channels[0].consumers = 33;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
  channels[0].consumers = 2;
  channels[0].producers = 2;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
  channels[0].producers = 0;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  OK(strait_channel_count(&region, &count));
  THAT(count == 4);
  OK(strait_channel_info(&region, 2, &info));
  THAT(!strcmp((const char *)info.name, "log") && info.lanes == 1);
  everything(&region);
  OK(strait_region_close(&region));
  puts("fanout: done");
  return 0;
}
