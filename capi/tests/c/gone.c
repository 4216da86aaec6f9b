/* Waits that end when the other side is gone, or the region; objects in a forked child; one process that takes part twice; a channel made as new.
 * gone PLACE: a name that is free. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG 60000000000ull

enum { LOG, VALUES, LAST, PAIR, LINES, STEPS, STATE, CHANNELS };
static strait_channel_t channels[CHANNELS];
static strait_plan_t plan;
static uint64_t hash;

static void channel(int at, const char *name, uint32_t kind, uint32_t capacity, uint32_t size) {
  channels[at].name = name;
  channels[at].kind = kind;
  channels[at].capacity = capacity;
  channels[at].size = size;
  channels[at].flags = STRAIT_CONSUMER_MAY_BLOCK | STRAIT_PRODUCER_MAY_BLOCK;
}

static void make_plan(void) {
  hash = strait_type_hash("u64");
  channel(LOG, "log", STRAIT_KIND_FRAMES, 128, 32);
  channel(VALUES, "values", STRAIT_KIND_SLOTS, 2, 8);
  channel(LAST, "last", STRAIT_KIND_LATEST, 0, 8);
  channel(PAIR, "pair", STRAIT_KIND_MUTEX, 0, 8);
  channel(LINES, "lines", STRAIT_KIND_FRAMES, 128, 32);
  channel(STEPS, "steps", STRAIT_KIND_SLOTS, 2, 8);
  channel(STATE, "state", STRAIT_KIND_BROADCAST, 4, 8);
  channels[LINES].producers = channels[STEPS].producers = 2;
  channels[LAST].flags = channels[STATE].flags = STRAIT_CONSUMER_MAY_BLOCK;
  channels[STEPS].type_hash = channels[STATE].type_hash = hash;
  channels[PAIR].flags = 0;
  channels[VALUES].type_hash = channels[LAST].type_hash = channels[PAIR].type_hash = hash;
  plan.channels = channels;
  plan.channel_count = CHANNELS;
}

/* Takes the roles beside those of `main`, says so, and waits to be killed. */
static void be_the_peer(const char *place, int ready) {
  const uint64_t value = 7;
  strait_region_t region = {0};
  strait_producer_t log = {0};
  strait_typed_consumer_t values = {0};
  strait_latest_writer_t last = {0};
  OK(strait_open(&region, place, 0));
  OK(strait_producer_open(&log, &region, "log"));
  OK(strait_typed_consumer_open(&values, &region, "values", hash, 8, NULL));
  OK(strait_latest_writer_open(&last, &region, "last", hash, 8));
  OK(strait_producer_try_send(&log, 1, "last words", 10));
  OK(strait_latest_publish(&last, 0, &value, 8, NULL));
  THAT(write(ready, "!", 1) == 1);
  for (;;) {
    pause();
  }
}

static void waits_end_with_the_dead(const char *place, strait_region_t *region) {
  strait_consumer_t log = {0};
  strait_typed_producer_t values = {0};
  strait_latest_reader_t last = {0};
  strait_received_t received;
  uint64_t value = 0;
  uint32_t writer = 99;
  char buffer[32], mark;
  int ready[2];
  pid_t child;
  THAT(pipe(ready) == 0);
  child = fork();
  THAT(child >= 0);
  if (child == 0) {
    be_the_peer(place, ready[1]);
  }
  THAT(read(ready[0], &mark, 1) == 1);
  OK(strait_consumer_open(&log, region, "log", NULL));
  OK(strait_typed_producer_open(&values, region, "values", hash, 8));
  OK(strait_latest_reader_open(&last, region, "last"));
  OK(strait_consumer_end_with_peer(&log, true));
  OK(strait_typed_producer_end_with_peer(&values, true));
  OK(strait_latest_reader_end_with_writer(&last, true));
  CHECK(strait_consumer_end_with_peer(NULL, true), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_latest_reader_writer(&last, &writer));
  THAT(writer == STRAIT_PEER_PRESENT);
  OK(strait_latest_wait_for_change(&last, &value, 8, NULL, LONG));
  THAT(value == 7);
  THAT(kill(child, SIGKILL) == 0);
  THAT(waitpid(child, NULL, 0) == child);
  /* What it sent comes first. */
  OK(strait_consumer_recv_timeout(&log, buffer, sizeof buffer, &received, LONG));
  THAT(received.len == 10);
  CHECK(strait_consumer_recv_timeout(&log, buffer, sizeof buffer, &received, LONG), STRAIT_STATUS_PEER_GONE);
  while (strait_typed_producer_try_send(&values, &value, 8) == STRAIT_STATUS_OK) {
  }
  CHECK(strait_typed_producer_send_timeout(&values, &value, 8, LONG), STRAIT_STATUS_PEER_GONE);
  CHECK(strait_latest_wait_for_change(&last, &value, 8, NULL, LONG), STRAIT_STATUS_STALE);
  OK(strait_latest_reader_writer(&last, &writer));
  THAT(writer == STRAIT_PEER_DEAD);
  OK(strait_consumer_end_with_peer(&log, false));
  CHECK(strait_consumer_recv_timeout(&log, buffer, sizeof buffer, NULL, 1000000), STRAIT_STATUS_TIMED_OUT);
  OK(strait_consumer_close(&log));
  OK(strait_typed_producer_close(&values));
  OK(strait_latest_reader_close(&last));
}

static void waits_end_with_those_that_left(strait_region_t *region) {
  strait_producer_t log = {0};
  strait_consumer_t received = {0};
  strait_typed_producer_t values = {0};
  strait_typed_consumer_t got = {0};
  uint64_t value = 1;
  char buffer[32];
  OK(strait_producer_open(&log, region, "log"));
  OK(strait_consumer_open(&received, region, "log", NULL));
  OK(strait_producer_end_with_peer(&log, true));
  OK(strait_consumer_close(&received));
  while (strait_producer_try_send(&log, 0, buffer, 0) == STRAIT_STATUS_OK) {
  }
  CHECK(strait_producer_send_timeout(&log, 0, buffer, 0, LONG), STRAIT_STATUS_PEER_GONE);
  OK(strait_producer_close(&log));

  OK(strait_typed_producer_open(&values, region, "values", hash, 8));
  OK(strait_typed_consumer_open(&got, region, "values", hash, 8, NULL));
  OK(strait_typed_consumer_end_with_peer(&got, true));
  OK(strait_typed_producer_close(&values));
  while (strait_typed_consumer_try_recv(&got, &value, 8, NULL) == STRAIT_STATUS_OK) {
  }
  CHECK(strait_typed_consumer_recv_timeout(&got, &value, 8, NULL, LONG), STRAIT_STATUS_PEER_GONE);
  OK(strait_typed_consumer_close(&got));
}

static void waits_for_many_end_too(strait_region_t *region) {
  strait_producer_t line = {0};
  strait_typed_producer_t step = {0};
  strait_broadcast_writer_t writer = {0};
  strait_lanes_consumer_t lines = {0};
  strait_typed_lanes_consumer_t steps = {0};
  strait_broadcast_reader_t state = {0};
  uint64_t value = 1;
  char buffer[32];
  CHECK(strait_lanes_consumer_end_with_peer(NULL, true), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_producer_open_lane(&line, region, "lines", 1, NULL));
  OK(strait_lanes_consumer_open(&lines, region, "lines", NULL));
  OK(strait_lanes_consumer_end_with_peer(&lines, true));
  OK(strait_producer_try_send(&line, 1, "last words", 10));
  OK(strait_producer_close(&line));
  OK(strait_lanes_consumer_recv_timeout(&lines, buffer, sizeof buffer, NULL, NULL, LONG));
  CHECK(strait_lanes_consumer_recv_timeout(&lines, buffer, sizeof buffer, NULL, NULL, LONG),
        STRAIT_STATUS_PEER_GONE);
  OK(strait_lanes_consumer_close(&lines));

  OK(strait_typed_producer_open_lane(&step, region, "steps", hash, 8, 0, NULL));
  OK(strait_typed_lanes_consumer_open(&steps, region, "steps", hash, 8, NULL));
  OK(strait_typed_lanes_consumer_end_with_peer(&steps, true));
  OK(strait_typed_producer_close(&step));
  CHECK(strait_typed_lanes_consumer_recv_timeout(&steps, &value, 8, NULL, NULL, LONG), STRAIT_STATUS_PEER_GONE);
  OK(strait_typed_lanes_consumer_close(&steps));

  OK(strait_broadcast_writer_open(&writer, region, "state", hash, 8));
  OK(strait_broadcast_reader_open(&state, region, "state", STRAIT_BROADCAST_NEWEST));
  OK(strait_broadcast_reader_end_with_writer(&state, true));
  OK(strait_broadcast_publish(&writer, 0, &value, 8, NULL));
  OK(strait_broadcast_writer_close(&writer));
  OK(strait_broadcast_recv_timeout(&state, &value, 8, NULL, NULL, LONG));
  CHECK(strait_broadcast_recv_timeout(&state, &value, 8, NULL, NULL, LONG), STRAIT_STATUS_PEER_GONE);
  OK(strait_broadcast_reader_close(&state));
}

static void joined_twice(strait_region_t *region) {
  strait_region_t again = {0}, third = {0};
  strait_mutex_t one = {0}, other = {0};
  CHECK(strait_join_again(&again, &third), STRAIT_STATUS_NOT_OPEN);
  CHECK(strait_join_again(&again, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_join_again(&again, region));
  CHECK(strait_join_again(&again, region), STRAIT_STATUS_IN_USE);
  THAT(strait_region_ident(&again) != strait_region_ident(region));
  OK(strait_mutex_open(&one, region, "pair", hash, 8));
  OK(strait_mutex_open(&other, &again, "pair", hash, 8));
  OK(strait_mutex_try_lock(&one));
  CHECK(strait_mutex_try_lock(&other), STRAIT_STATUS_BUSY);
  OK(strait_mutex_unlock(&one));
  OK(strait_mutex_try_lock(&other));

  /* And nothing is reset under another participant, nor what this one has. */
  CHECK(strait_region_reset_channel(region, "pair"), STRAIT_STATUS_BUSY);
  CHECK(strait_region_reset_channel(&again, "pair"), STRAIT_STATUS_IN_USE);
  OK(strait_mutex_unlock(&other));
  OK(strait_mutex_close(&other));
  OK(strait_region_close(&again));
  CHECK(strait_region_reset_channel(region, "no such"), STRAIT_STATUS_NOT_FOUND);
  CHECK(strait_region_reset_channel(region, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_mutex_close(&one));
}

static void as_new(strait_region_t *region) {
  strait_typed_producer_t values = {0};
  strait_typed_consumer_t got = {0};
  uint64_t value = 5;
  OK(strait_typed_producer_open(&values, region, "values", hash, 8));
  OK(strait_typed_producer_try_send(&values, &value, 8));
  OK(strait_typed_producer_close(&values));
  OK(strait_region_reset_channel(region, "values"));
  OK(strait_typed_consumer_open(&got, region, "values", hash, 8, NULL));
  CHECK(strait_typed_consumer_try_recv(&got, &value, 8, NULL), STRAIT_STATUS_EMPTY);
  OK(strait_typed_consumer_close(&got));
}

/* Objects from before a fork, with space that is known of, in the child. */
static void a_forked_child_is_told(strait_region_t *region) {
  strait_producer_t log = {0};
  strait_consumer_t received = {0};
  strait_typed_producer_t values = {0};
  strait_typed_consumer_t got = {0};
  strait_latest_writer_t last = {0};
  strait_mutex_t pair = {0};
  uint64_t value = 5;
  char buffer[32];
  pid_t child;
  int ended;
  OK(strait_region_reset_channel(region, "log"));
  OK(strait_region_reset_channel(region, "values"));
  OK(strait_producer_open(&log, region, "log"));
  OK(strait_consumer_open(&received, region, "log", NULL));
  OK(strait_typed_producer_open(&values, region, "values", hash, 8));
  OK(strait_typed_consumer_open(&got, region, "values", hash, 8, NULL));
  OK(strait_latest_writer_open(&last, region, "last", hash, 8));
  OK(strait_mutex_open(&pair, region, "pair", hash, 8));
  OK(strait_producer_try_send(&log, 1, "before", 6));
  child = fork();
  THAT(child >= 0);
  if (child == 0) {
    CHECK(strait_producer_try_send(&log, 1, "child's", 7), STRAIT_STATUS_FORKED);
    CHECK(strait_producer_send_timeout(&log, 1, "child's", 7, LONG), STRAIT_STATUS_FORKED);
    /* The one that was there at the fork. */
    OK(strait_consumer_try_recv(&received, buffer, sizeof buffer, NULL));
    CHECK(strait_consumer_try_recv(&received, buffer, sizeof buffer, NULL), STRAIT_STATUS_FORKED);
    CHECK(strait_consumer_recv_timeout(&received, buffer, sizeof buffer, NULL, LONG), STRAIT_STATUS_FORKED);
    CHECK(strait_typed_producer_try_send(&values, &value, 8), STRAIT_STATUS_FORKED);
    CHECK(strait_typed_consumer_recv_timeout(&got, &value, 8, NULL, LONG), STRAIT_STATUS_FORKED);
    CHECK(strait_latest_publish(&last, 0, &value, 8, NULL), STRAIT_STATUS_FORKED);
    CHECK(strait_mutex_try_lock(&pair), STRAIT_STATUS_FORKED);
    CHECK(strait_mutex_lock_timeout(&pair, LONG), STRAIT_STATUS_FORKED);
    _exit(0);
  }
  THAT(waitpid(child, &ended, 0) == child && ended == 0);
  OK(strait_consumer_try_recv(&received, buffer, sizeof buffer, NULL));
  CHECK(strait_consumer_try_recv(&received, buffer, sizeof buffer, NULL), STRAIT_STATUS_EMPTY);
  OK(strait_mutex_try_lock(&pair));
  OK(strait_mutex_unlock(&pair));
  OK(strait_producer_close(&log));
  OK(strait_consumer_close(&received));
  OK(strait_typed_producer_close(&values));
  OK(strait_typed_consumer_close(&got));
  OK(strait_latest_writer_close(&last));
  OK(strait_mutex_close(&pair));
}

/* The region has been removed, and nobody has the other side. */
static void a_region_that_was_removed(strait_region_t *region) {
  strait_consumer_t received = {0};
  strait_lanes_consumer_t lines = {0};
  strait_broadcast_reader_t state = {0};
  strait_latest_reader_t last = {0};
  strait_waitable_t all;
  uint64_t value = 0;
  size_t index = 9;
  char buffer[32];
  memset(&all, 0, sizeof all);
  OK(strait_consumer_open(&received, region, "log", NULL));
  CHECK(strait_consumer_recv_timeout(&received, buffer, sizeof buffer, NULL, LONG), STRAIT_STATUS_REPLACED);
  all.frames = &received;
  CHECK(strait_wait_any_timeout(region, &all, 1, &index, LONG), STRAIT_STATUS_REPLACED);
  THAT(index == 0);
  CHECK(strait_wait_any_timeout(region, &all, 1, &index, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_consumer_close(&received));
  OK(strait_lanes_consumer_open(&lines, region, "lines", NULL));
  CHECK(strait_lanes_consumer_recv_timeout(&lines, buffer, sizeof buffer, NULL, NULL, LONG), STRAIT_STATUS_REPLACED);
  OK(strait_lanes_consumer_close(&lines));
  OK(strait_broadcast_reader_open(&state, region, "state", STRAIT_BROADCAST_NEWEST));
  OK(strait_broadcast_recv_timeout(&state, &value, 8, NULL, NULL, LONG));
  CHECK(strait_broadcast_recv_timeout(&state, &value, 8, NULL, NULL, LONG), STRAIT_STATUS_REPLACED);
  OK(strait_broadcast_reader_close(&state));
  OK(strait_latest_reader_open(&last, region, "last"));
  OK(strait_latest_wait_for_change(&last, &value, 8, NULL, LONG));
  CHECK(strait_latest_wait_for_change(&last, &value, 8, NULL, LONG), STRAIT_STATUS_REPLACED);
  CHECK(strait_latest_wait_for_change(&last, &value, 8, NULL, 0), STRAIT_STATUS_STALE);
  OK(strait_latest_reader_close(&last));
}

int main(int argc, char **argv) {
  strait_region_t region = {0};
  THAT(argc == 2);
  make_plan();
  OK(strait_create(&region, argv[1], &plan, 0));
  waits_end_with_the_dead(argv[1], &region);
  waits_end_with_those_that_left(&region);
  waits_for_many_end_too(&region);
  joined_twice(&region);
  as_new(&region);
  a_forked_child_is_told(&region);
  OK(strait_remove(argv[1]));
  a_region_that_was_removed(&region);
  OK(strait_region_close(&region));
  return 0;
}
