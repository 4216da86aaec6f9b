/* Calls of several clients, in a static array, used by one program: every function for their lanes once, and what it
 * says to mistakes. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[16384];
} memory;

static const uint64_t *types(void) {
  static uint64_t hashes[2];
  hashes[0] = strait_type_hash("u32");
  hashes[1] = strait_type_hash("u64");
  return hashes;
}

static strait_status client(strait_call_client_t *it, strait_region_t *region, uint32_t lane, uint32_t *claimed) {
  return strait_call_client_open_lane(it, region, "drive", types()[0], 4, types()[1], 8, lane, claimed);
}

static strait_status server(strait_lanes_server_t *it, strait_region_t *region) {
  return strait_lanes_server_open(it, region, "drive", types()[0], 4, types()[1], 8, false);
}

static void calls(strait_region_t *region) {
  strait_call_client_t clients[3] = {{0}, {0}, {0}}, alone = {0};
  strait_lanes_server_t rx = {0}, other = {0};
  strait_request_t taken;
  uint32_t lane = 77, request, tickets[2], slow, i;
  uint64_t answer;
  uint16_t code = 0;
  CHECK(strait_call_client_open(&alone, region, "drive", types()[0], 4, types()[1], 8), STRAIT_STATUS_KIND);
  CHECK(client(&clients[0], region, 3, NULL), STRAIT_STATUS_NOT_FOUND);
  OK(client(&clients[0], region, 0, NULL));
  OK(client(&clients[1], region, STRAIT_ANY_LANE, &lane));
  THAT(lane == 1);
  OK(client(&clients[2], region, STRAIT_ANY_LANE, &lane));
  THAT(lane == 2);
  CHECK(client(&alone, region, STRAIT_ANY_LANE, &lane), STRAIT_STATUS_BUSY);

  CHECK(strait_lanes_server_try_next(&rx, &request, 4, NULL, &lane), STRAIT_STATUS_NOT_OPEN);
  OK(server(&rx, region));
  CHECK(server(&other, region), STRAIT_STATUS_BUSY);
  CHECK(strait_lanes_server_try_next(&rx, &request, 4, NULL, &lane), STRAIT_STATUS_EMPTY);
  CHECK(strait_lanes_server_next_timeout(&rx, &request, 4, NULL, &lane, 0), STRAIT_STATUS_TIMED_OUT);
  CHECK(strait_lanes_server_answer(&rx, 0, &answer, 8), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_lanes_server_refuse(&rx, 9, 1), STRAIT_STATUS_WRONG_STATE);

  for (i = 0; i < 2; i++) {
    request = 10 + i;
    OK(strait_call_client_try_call(&clients[i], &request, 4, &tickets[i]));
  }
  CHECK(strait_lanes_server_try_next(&rx, &request, 3, NULL, &lane), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_lanes_server_try_next(&rx, &request, 4, NULL, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_lanes_server_try_next(&rx, &request, 4, &taken, &slow));
  THAT(slow == 0 && request == 10 && !taken.is_post && !taken.is_again && taken.caller != 0);
  /* Its reply is owed; the others go on. */
  OK(strait_lanes_server_next_timeout(&rx, &request, 4, &taken, &lane, 0));
  THAT(lane == 1 && request == 11);
  OK(strait_lanes_server_refuse(&rx, lane, 7));
  CHECK(strait_call_client_poll(&clients[1], tickets[1], &answer, 8, &code), STRAIT_STATUS_REFUSED);
  THAT(code == 7);
  CHECK(strait_call_client_poll(&clients[0], tickets[0], &answer, 8, NULL), STRAIT_STATUS_EMPTY);
  answer = 99;
  CHECK(strait_lanes_server_answer(&rx, slow, &answer, 4), STRAIT_STATUS_WRONG_SIZE);
  OK(strait_lanes_server_answer(&rx, slow, &answer, 8));
  answer = 0;
  OK(strait_call_client_poll(&clients[0], tickets[0], &answer, 8, NULL));
  THAT(answer == 99);

  request = 12;
  OK(strait_call_client_post(&clients[2], &request, 4));
  OK(strait_lanes_server_try_next(&rx, &request, 4, &taken, &lane));
  THAT(lane == 2 && taken.is_post);
  OK(strait_lanes_server_close(&rx));
  CHECK(strait_lanes_server_close(&rx), STRAIT_STATUS_NOT_OPEN);
  for (i = 0; i < 3; i++) {
    OK(strait_call_client_close(&clients[i]));
  }
}

int main(void) {
  strait_region_t region = {0};
  strait_channel_t channel;
  strait_channel_info_t info;
  strait_plan_t plan;
  uint32_t size = 0;
  memset(&plan, 0, sizeof plan);
  memset(&channel, 0, sizeof channel);
  channel.name = "drive";
  channel.kind = STRAIT_KIND_CALLS;
  channel.capacity = 2;
  channel.size = 4;
  channel.type_hash = types()[0];
  channel.answer_size = 8;
  channel.answer_hash = types()[1];
  channel.producers = 3;
  plan.channels = &channel;
  plan.channel_count = 1;
  plan.line = 8;
  plan.participants = 4;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  OK(strait_channel_info(&region, 2, &info));
  THAT(!strcmp((const char *)info.name, "drive") && info.lane == 2 && info.lanes == 3);
  calls(&region);
  OK(strait_region_close(&region));
  puts("calls of several clients: done");
  return 0;
}
