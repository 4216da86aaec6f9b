/* Streams of answers, in a static array, used by one program: every function for them once, with several clients and with
 * one, and what it says to mistakes. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[32768];
} memory;

static strait_stream_t stream(const char *calls, const char *parts, const char *part_type) {
  strait_stream_t it;
  memset(&it, 0, sizeof it);
  it.calls = calls;
  it.parts = parts;
  it.request_hash = strait_type_hash("u32");
  it.request_size = 4;
  it.end_hash = strait_stream_end_hash(part_type);
  it.part_size = 8;
  return it;
}

static uint64_t part_of(strait_stream_client_t *client) {
  strait_streamed_t found;
  uint64_t part = 0;
  memset(&found, 1, sizeof found);
  OK(strait_stream_client_next_timeout(client, &part, 8, &found, NULL, 0));
  THAT(!found.is_end);
  return part;
}

static uint32_t end_of(strait_stream_client_t *client) {
  strait_streamed_t found = {false, 0};
  uint64_t part = 0;
  OK(strait_stream_client_try_next(client, &part, 8, &found, NULL));
  THAT(found.is_end);
  return found.parts;
}

static strait_status send(strait_stream_server_t *server, uint32_t lane, uint64_t part) {
  return strait_stream_server_send(server, lane, &part, 8);
}

static void several(strait_region_t *region) {
  strait_stream_t kinds = stream("s", "p", "u64"), wrong = stream("s", "p", "i64"), absent = stream("s", "x", "u64");
  strait_stream_client_t clients[2] = {{0}, {0}}, other = {0};
  strait_stream_server_t server = {0};
  strait_streamed_t found;
  strait_request_t taken;
  strait_waitable_t waitable;
  uint32_t lane = 77, request, i;
  uint64_t part = 0;
  uint16_t code = 0;
  size_t index = 9;
  bool may_have_run = false;
  CHECK(strait_stream_client_open(&other, region, &wrong, 0, NULL), STRAIT_STATUS_TYPE);
  CHECK(strait_stream_client_open(&other, region, &absent, 0, NULL), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_stream_client_open(&other, region, &kinds, 2, NULL), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_stream_client_open(&other, region, NULL, 0, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_stream_client_open(&clients[0], region, &kinds, 0, NULL));
  OK(strait_stream_client_open(&clients[1], region, &kinds, STRAIT_ANY_LANE, &lane));
  THAT(lane == 1);
  CHECK(strait_stream_client_open(&other, region, &kinds, STRAIT_ANY_LANE, &lane), STRAIT_STATUS_BUSY);
  CHECK(strait_stream_server_send(&server, 0, &part, 8), STRAIT_STATUS_NOT_OPEN);
  OK(strait_stream_server_open(&server, region, &kinds));
  CHECK(strait_stream_server_try_next(&server, &request, 4, NULL, &lane), STRAIT_STATUS_EMPTY);
  CHECK(strait_stream_server_next_timeout(&server, &request, 4, NULL, &lane, 0), STRAIT_STATUS_TIMED_OUT);
  CHECK(send(&server, 0, 1), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_stream_server_end(&server, 0), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_stream_server_refuse(&server, 9, 1), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_stream_client_try_next(&clients[0], &part, 8, &found, NULL), STRAIT_STATUS_UNKNOWN_TICKET);
  CHECK(strait_stream_client_cancel(&clients[0], NULL), STRAIT_STATUS_UNKNOWN_TICKET);

  for (i = 0; i < 2; i++) {
    request = 10 + i;
    CHECK(strait_stream_client_start(&clients[i], &request, 3), STRAIT_STATUS_WRONG_SIZE);
    OK(strait_stream_client_start(&clients[i], &request, 4));
    CHECK(strait_stream_client_start(&clients[i], &request, 4), STRAIT_STATUS_FULL);
  }
  memset(&waitable, 0, sizeof waitable);
  waitable.stream_server = &server;
  OK(strait_wait_any_timeout(region, &waitable, 1, &index, 0));
  THAT(index == 0);
  CHECK(strait_stream_server_try_next(&server, &request, 3, NULL, &lane), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_stream_server_try_next(&server, &request, 4, NULL, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  /* Two streams at once. */
  for (i = 0; i < 2; i++) {
    OK(strait_stream_server_try_next(&server, &request, 4, &taken, &lane));
    THAT(lane == i && request == 10 + i && !taken.is_post && !taken.is_again && taken.caller != 0);
  }
  CHECK(strait_stream_server_send(&server, 0, &part, 7), STRAIT_STATUS_WRONG_SIZE);
  OK(send(&server, 1, 21));
  OK(send(&server, 0, 11));
  part = 12;
  OK(strait_stream_server_send_timeout(&server, 0, &part, 8, 0));
  CHECK(strait_stream_client_try_next(&clients[0], &part, 7, &found, NULL), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_stream_client_try_next(&clients[0], &part, 8, NULL, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  THAT(part_of(&clients[0]) == 11 && part_of(&clients[0]) == 12 && part_of(&clients[1]) == 21);
  CHECK(strait_stream_client_try_next(&clients[0], &part, 8, &found, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_stream_client_next_timeout(&clients[0], &part, 8, &found, NULL, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_stream_server_end(&server, 0));
  THAT(end_of(&clients[0]) == 2);
  OK(strait_stream_server_refuse(&server, 1, 7));
  CHECK(strait_stream_client_try_next(&clients[1], &part, 8, &found, &code), STRAIT_STATUS_REFUSED);
  THAT(code == 7);

  /* A client that reads nothing, and cancels. */
  OK(strait_stream_client_start(&clients[0], &request, 4));
  OK(strait_stream_server_next_timeout(&server, &request, 4, NULL, &lane, 0));
  for (i = 0; send(&server, 0, i) == STRAIT_STATUS_OK; i++) {
  }
  THAT(i >= 4);
  CHECK(send(&server, 0, i), STRAIT_STATUS_FULL);
  CHECK(strait_stream_server_send_timeout(&server, 0, &part, 8, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_stream_client_cancel(&clients[0], &may_have_run));
  THAT(may_have_run);
  CHECK(send(&server, 0, i), STRAIT_STATUS_CANCELLED);
  OK(strait_stream_server_end(&server, 0));
  OK(strait_stream_client_close(&clients[0]));
  OK(strait_stream_server_close(&server));
  CHECK(strait_stream_server_close(&server), STRAIT_STATUS_NOT_OPEN);
  OK(strait_stream_client_close(&clients[1]));
}

/* With one client, both sides are as with several. */
static void one(strait_region_t *region) {
  strait_stream_t kinds = stream("one", "one.p", "u64");
  strait_stream_client_t client = {0};
  strait_stream_server_t server = {0};
  uint32_t lane = 77, request = 5;
  OK(strait_stream_client_open(&client, region, &kinds, STRAIT_ANY_LANE, &lane));
  THAT(lane == 0);
  OK(strait_stream_server_open(&server, region, &kinds));
  OK(strait_stream_client_start(&client, &request, 4));
  OK(strait_stream_server_try_next(&server, &request, 4, NULL, &lane));
  OK(send(&server, lane, 25));
  OK(strait_stream_server_end(&server, lane));
  THAT(part_of(&client) == 25);
  THAT(end_of(&client) == 1);
  OK(strait_stream_client_close(&client));
  OK(strait_stream_server_close(&server));
}

static void plan_both(strait_channel_t *channels, const strait_stream_t *kinds, uint32_t clients) {
  channels[0].name = kinds->calls;
  channels[0].kind = STRAIT_KIND_CALLS;
  channels[0].capacity = 2;
  channels[0].size = kinds->request_size;
  channels[0].type_hash = kinds->request_hash;
  channels[0].answer_size = 4;
  channels[0].answer_hash = kinds->end_hash;
  channels[0].producers = clients;
  channels[1].name = kinds->parts;
  channels[1].kind = STRAIT_KIND_FRAMES;
  channels[1].capacity = strait_parts_capacity(4, kinds->part_size);
  channels[1].size = kinds->part_size;
  channels[1].flags = STRAIT_PRODUCER_MAY_BLOCK | (clients == 1 ? STRAIT_CONSUMER_MAY_BLOCK : 0);
  channels[1].producers = clients;
}

int main(void) {
  strait_stream_t both[2];
  strait_region_t region = {0};
  strait_channel_t channels[4];
  strait_plan_t plan;
  uint32_t size = 0;
  memset(&plan, 0, sizeof plan);
  memset(channels, 0, sizeof channels);
  THAT(strait_stream_end_hash("u64") == strait_type_hash("{stream:u64@0;size=4}"));
  THAT(strait_stream_end_hash(NULL) == 0);
  both[0] = stream("s", "p", "u64");
  both[1] = stream("one", "one.p", "u64");
  plan_both(channels, &both[0], 2);
  plan_both(channels + 2, &both[1], 1);
  plan.channels = channels;
  plan.channel_count = 4;
  plan.line = 8;
  plan.participants = 4;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  several(&region);
  one(&region);
  OK(strait_region_close(&region));
  puts("streams of answers: done");
  return 0;
}
