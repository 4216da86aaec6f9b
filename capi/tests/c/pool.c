/* A pool of blocks in a static array, used by two participants of one program: every function for it, and what it says to
 * mistakes. */
#include "check.h"

#include <string.h>

static union {
  uint64_t align;
  uint8_t bytes[4096];
} memory;

static void everything(strait_region_t *camera, strait_region_t *viewer) {
  strait_pool_t mine = {0}, theirs = {0};
  strait_block_t block, other, copy;
  strait_block_id_t id = {0, 0}, forged = {2, 1};
  strait_channel_state_t state;
  uint8_t bytes[40];
  size_t count = 9;
  CHECK(strait_pool_open(&mine, camera, "nothing"), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_pool_try_claim(&mine, &block), STRAIT_STATUS_NOT_OPEN);
  OK(strait_pool_open(&mine, camera, "images"));
  OK(strait_pool_open(&theirs, viewer, "images"));
  CHECK(strait_pool_try_claim(&mine, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_pool_take(&theirs, &id, &other), STRAIT_STATUS_NOT_OWNER);
  CHECK(strait_pool_take(&theirs, &forged, &other), STRAIT_STATUS_FAULT);
  CHECK(strait_pool_take(&theirs, NULL, &other), STRAIT_STATUS_BAD_ARGUMENT);

  OK(strait_pool_try_claim(&mine, &block));
  THAT(block.len == 32 && block.index < 2);
  OK(strait_pool_claim_timeout(&mine, &other, 0));
  CHECK(strait_pool_try_claim(&theirs, &copy), STRAIT_STATUS_EMPTY);
  CHECK(strait_pool_claim_timeout(&theirs, &copy, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_channel_state(camera, "images", &state));
  THAT(state.len == 0);
  OK(strait_block_write(&mine, &block, 0, (const uint8_t *)"an image", 8));
  CHECK(strait_block_write(&mine, &block, 30, (const uint8_t *)"abc", 3), STRAIT_STATUS_TOO_LARGE);
  CHECK(strait_block_write(&mine, &block, SIZE_MAX, (const uint8_t *)"abc", 3), STRAIT_STATUS_TOO_LARGE);
  CHECK(strait_block_write(&theirs, &block, 0, (const uint8_t *)"not yours", 9), STRAIT_STATUS_NOT_OWNER);
  CHECK(strait_block_send(&mine, &block, 8, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  copy = block;
  OK(strait_block_send(&mine, &block, 8, &id));
  CHECK(strait_block_send(&mine, &copy, 8, &id), STRAIT_STATUS_NOT_OWNER);
  CHECK(strait_block_release(&mine, &copy), STRAIT_STATUS_NOT_OWNER);

  OK(strait_pool_take(&theirs, &id, &block));
  CHECK(strait_pool_take(&theirs, &id, &copy), STRAIT_STATUS_NOT_OWNER);
  THAT(block.len == 8);
  OK(strait_block_read(&theirs, &block, 3, bytes, sizeof bytes, &count));
  THAT(count == 5 && !memcmp(bytes, "image", 5));
  OK(strait_block_write(&theirs, &block, 8, (const uint8_t *)"!", 1));
  THAT(block.len == 32);
  copy = block;
  OK(strait_block_release(&theirs, &block));
  CHECK(strait_block_release(&theirs, &copy), STRAIT_STATUS_NOT_OWNER);
  CHECK(strait_block_read(&theirs, &copy, 0, bytes, 1, NULL), STRAIT_STATUS_NOT_OWNER);
  /* The camera takes back what it has sent, as when a queue is full. */
  OK(strait_block_send(&mine, &other, 99, &id));
  OK(strait_pool_take(&mine, &id, &other));
  THAT(other.len == 32);
  OK(strait_block_release(&mine, &other));
  OK(strait_channel_state(viewer, "images", &state));
  THAT(state.len == 2);
  OK(strait_pool_close(&mine));
  OK(strait_pool_close(&theirs));
}

int main(void) {
  strait_region_t camera = {0}, viewer = {0};
  strait_channel_t channel;
  strait_plan_t plan;
  uint32_t size = 0;
  memset(&plan, 0, sizeof plan);
  memset(&channel, 0, sizeof channel);
  channel.name = "images";
  channel.kind = STRAIT_KIND_POOL;
  channel.size = 32;
  plan.channels = &channel;
  plan.channel_count = 1;
  plan.line = 8;
  plan.participants = 4;
  CHECK(strait_plan_size(&plan, &size), STRAIT_STATUS_BAD_PLAN);
  channel.capacity = 2;
  OK(strait_plan_size(&plan, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &plan, 7, false));
  OK(strait_attach(&camera, memory.bytes, size, NULL));
  OK(strait_attach(&viewer, memory.bytes, size, NULL));
  everything(&camera, &viewer);
  OK(strait_region_close(&viewer));
  OK(strait_region_close(&camera));
  puts("pool: done");
  return 0;
}
