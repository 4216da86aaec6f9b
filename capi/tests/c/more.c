/* Batches, peeks, permits, deadlines and waits for several queues; regions with options, of the system and sealed.
 * more PLACE OTHER: a name and a path that are free. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS 1000000ull

enum { LOG, EVENTS, VALUES, LAST, PAIR, SLOTS, TICKS, LONE, CHANNELS };
static strait_channel_t channels[CHANNELS];
static strait_plan_t plan;

static void channel(int at, const char *name, uint32_t kind, uint32_t capacity, uint32_t size) {
  channels[at].name = name;
  channels[at].kind = kind;
  channels[at].capacity = capacity;
  channels[at].size = size;
}

static void make_plan(void) {
  const uint64_t hash = strait_type_hash("u64");
  channel(LOG, "log", STRAIT_KIND_FRAMES, 1024, 100);
  channel(EVENTS, "events", STRAIT_KIND_FRAMES, 1024, 100);
  channel(VALUES, "values", STRAIT_KIND_SLOTS, 8, 8);
  channel(LAST, "last", STRAIT_KIND_LATEST, 0, 8);
  channel(PAIR, "pair", STRAIT_KIND_MUTEX, 0, 8);
  channel(SLOTS, "slots", STRAIT_KIND_PERMITS, 2, 0);
  channel(TICKS, "ticks", STRAIT_KIND_SEMAPHORE, 3, 0);
  channel(LONE, "lone", STRAIT_KIND_FRAMES, 1024, 100);
  channels[VALUES].type_hash = channels[LAST].type_hash = channels[PAIR].type_hash = hash;
  channels[LOG].flags = channels[EVENTS].flags = channels[VALUES].flags = STRAIT_CONSUMER_MAY_BLOCK;
  channels[LOG].doorbell = channels[EVENTS].doorbell = channels[VALUES].doorbell = 1;
  plan.channels = channels;
  plan.channel_count = CHANNELS;
}

static void frames_in_batches(strait_region_t *region) {
  strait_producer_t tx = {0};
  strait_consumer_t rx = {0};
  strait_frame_t out[40];
  strait_received_t in[40];
  char buffer[100];
  size_t i, count = 99, at = 0;
  OK(strait_producer_open(&tx, region, "log"));
  OK(strait_consumer_open(&rx, region, "log", NULL));
  for (i = 0; i < 40; i++) {
    out[i].payload = "0123456789abcdefghijklmnopqrstuvwxyz";
    out[i].len = i % 30;
    out[i].tag = (uint32_t)i;
  }
  OK(strait_producer_try_send_batch(&tx, out, 0, &count));
  THAT(count == 0);
  CHECK(strait_producer_try_send_batch(&tx, NULL, 1, &count), STRAIT_STATUS_BAD_ARGUMENT);
  out[2].payload = NULL;
  CHECK(strait_producer_try_send_batch(&tx, out, 3, &count), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_consumer_try_recv(&rx, buffer, sizeof buffer, NULL), STRAIT_STATUS_EMPTY);
  out[2].payload = "01";
  OK(strait_producer_try_send_batch(&tx, out, 40, &count));
  THAT(count >= 20 && count < 40);
  CHECK(strait_producer_try_send_batch(&tx, out, 40, NULL), STRAIT_STATUS_FULL);
  /* As many as fit, and then the rest, in order and without gaps. */
  CHECK(strait_consumer_recv_batch(&rx, buffer, 0, NULL, 1, &count), STRAIT_STATUS_BAD_ARGUMENT);
  i = 0;
  while (strait_consumer_recv_batch(&rx, buffer, sizeof buffer, in, 40, &count) == STRAIT_STATUS_OK) {
    size_t k;
    THAT(count > 0);
    for (k = 0, at = 0; k < count; at += in[k].len, k++, i++) {
      THAT(in[k].tag == i && in[k].sequence == i && in[k].len == i % 30);
      THAT(!memcmp(buffer + at, out[i].payload, in[k].len));
    }
    THAT(at <= sizeof buffer);
  }
  THAT(i >= 20);
  /* One that does not fit at all tells its length; it is read in parts, or skipped. */
  OK(strait_producer_try_send(&tx, 7, "a frame that is longer than the buffer", 38));
  OK(strait_producer_try_send(&tx, 8, "next", 4));
  CHECK(strait_consumer_recv_batch(&rx, buffer, 10, in, 40, &count), STRAIT_STATUS_TOO_SMALL);
  THAT(in[0].len == 38);
  OK(strait_consumer_peek(&rx, in));
  THAT(in[0].tag == 7 && in[0].len == 38);
  OK(strait_consumer_peek_at(&rx, 31, buffer, 10, &count));
  THAT(count == 7 && !memcmp(buffer, " buffer", 7));
  OK(strait_consumer_peek_at(&rx, 38, buffer, 10, &count));
  THAT(count == 0);
  CHECK(strait_consumer_peek(&rx, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_consumer_skip(&rx));
  OK(strait_consumer_try_recv(&rx, buffer, 10, in));
  THAT(in[0].tag == 8 && in[0].len == 4);
  CHECK(strait_consumer_skip(&rx), STRAIT_STATUS_EMPTY);
  CHECK(strait_consumer_peek(&rx, in), STRAIT_STATUS_EMPTY);
  OK(strait_producer_close(&tx));
  OK(strait_consumer_close(&rx));
}

static void values_in_batches(strait_region_t *region) {
  const uint64_t hash = strait_type_hash("u64");
  strait_typed_producer_t tx = {0};
  strait_typed_consumer_t rx = {0};
  uint64_t out[20], in[20], next = 0;
  size_t i, count = 0, left = 0;
  OK(strait_typed_producer_open(&tx, region, "values", hash, 8));
  OK(strait_typed_consumer_open(&rx, region, "values", hash, 8, NULL));
  for (i = 0; i < 20; i++) out[i] = i;
  CHECK(strait_typed_producer_try_send_batch(&tx, out, 7, 2, &count), STRAIT_STATUS_WRONG_SIZE);
  CHECK(strait_typed_producer_try_send_batch(&tx, out, 8, SIZE_MAX, &count), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_typed_producer_try_send_batch(&tx, out, 8, 20, &left));
  THAT(left == 8);
  CHECK(strait_typed_producer_try_send_batch(&tx, out, 8, 20, NULL), STRAIT_STATUS_FULL);
  CHECK(strait_typed_consumer_recv_batch(&rx, in, 8, 20, NULL), STRAIT_STATUS_BAD_ARGUMENT);
  while (left > 0) {
    OK(strait_typed_consumer_recv_batch(&rx, in, 8, 3, &count));
    THAT(count > 0 && count <= 3);
    for (i = 0; i < count; i++) THAT(in[i] == next++);
    left -= count;
  }
  CHECK(strait_typed_consumer_recv_batch(&rx, in, 8, 3, &count), STRAIT_STATUS_EMPTY);
  OK(strait_typed_consumer_close(&rx));
  OK(strait_typed_producer_close(&tx));
}

static void permits(strait_region_t *region) {
  strait_permits_t one = {0}, two = {0}, three = {0};
  strait_permit_t a = {9, 9}, b = {9, 9};
  uint64_t now = 0;
  OK(strait_permits_open(&one, region, "slots"));
  OK(strait_permits_open(&two, region, "slots"));
  OK(strait_permits_open(&three, region, "slots"));
  CHECK(strait_permits_open(&one, region, "slots"), STRAIT_STATUS_IN_USE);
  CHECK(strait_permits_release(&one), STRAIT_STATUS_WRONG_STATE);
  OK(strait_permits_try_acquire(&one, &a));
  CHECK(strait_permits_try_acquire(&one, NULL), STRAIT_STATUS_WRONG_STATE);
  OK(strait_permits_acquire_timeout(&two, &b, 0));
  THAT(a.index < 2 && b.index < 2 && a.index != b.index && a.taken_over_from == 0);
  CHECK(strait_permits_try_acquire(&three, NULL), STRAIT_STATUS_EMPTY);
  CHECK(strait_permits_acquire_timeout(&three, NULL, MS), STRAIT_STATUS_TIMED_OUT);
  OK(strait_now_ns(region, &now));
  CHECK(strait_permits_acquire_until(&three, NULL, now + MS), STRAIT_STATUS_TIMED_OUT);
  OK(strait_permits_release(&one));
  OK(strait_permits_acquire_until(&three, &a, now));
  /* Closing gives back. */
  OK(strait_permits_close(&three));
  OK(strait_permits_try_acquire(&one, NULL));
  OK(strait_permits_close(&one));
  OK(strait_permits_close(&two));
  CHECK(strait_permits_close(&two), STRAIT_STATUS_NOT_OPEN);
}

/* A holder that is killed: its permit comes back, and says whose it was. */
static void permit_of_the_dead(const char *place) {
  strait_region_t region = {0};
  strait_permits_t one = {0}, two = {0};
  strait_permit_t a = {0, 0}, b = {0, 0};
  uint32_t dead = 0;
  int pipes[2];
  pid_t child;
  THAT(pipe(pipes) == 0);
  child = fork();
  THAT(child >= 0);
  if (child == 0) {
    OK(strait_open(&region, place, 0));
    OK(strait_permits_open(&one, &region, "slots"));
    OK(strait_permits_try_acquire(&one, NULL));
    dead = strait_region_ident(&region);
    THAT(write(pipes[1], &dead, sizeof dead) == sizeof dead);
    _exit(0); /* With the permit. */
  }
  THAT(read(pipes[0], &dead, sizeof dead) == sizeof dead);
  THAT(waitpid(child, NULL, 0) == child);
  OK(strait_open(&region, place, 0));
  OK(strait_permits_open(&one, &region, "slots"));
  OK(strait_permits_open(&two, &region, "slots"));
  OK(strait_permits_try_acquire(&one, &a));
  OK(strait_permits_try_acquire(&two, &b));
  THAT(dead != 0 && (a.taken_over_from == dead) + (b.taken_over_from == dead) == 1);
  OK(strait_permits_close(&one));
  OK(strait_permits_close(&two));
  OK(strait_region_close(&region));
  close(pipes[0]);
  close(pipes[1]);
}

static void waits(strait_region_t *region) {
  const uint64_t hash = strait_type_hash("u64");
  strait_producer_t tx = {0};
  strait_typed_producer_t values = {0};
  strait_consumer_t log = {0}, events = {0}, lone = {0};
  strait_typed_consumer_t numbers = {0};
  strait_latest_reader_t reader = {0};
  strait_mutex_t mutex = {0};
  strait_semaphore_t ticks = {0};
  strait_waitable_t all[3];
  uint64_t now = 0, later = 0, value = 5;
  size_t index = 99;
  char buffer[100];
  memset(all, 0, sizeof all);
  OK(strait_consumer_open(&log, region, "log", NULL));
  OK(strait_consumer_open(&events, region, "events", NULL));
  OK(strait_consumer_open(&lone, region, "lone", NULL));
  OK(strait_typed_consumer_open(&numbers, region, "values", hash, 8, NULL));
  all[0].frames = &log;
  all[1].values = &numbers;
  all[2].frames = &events;
  CHECK(strait_wait_any_timeout(region, all, 0, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_wait_any_timeout(region, all, 33, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  CHECK(strait_wait_any_timeout(region, all, 3, &index, 0), STRAIT_STATUS_TIMED_OUT);
  OK(strait_now_ns(region, &now));
  CHECK(strait_wait_any_until(region, all, 3, &index, now + 2 * MS), STRAIT_STATUS_TIMED_OUT);
  OK(strait_now_ns(region, &later));
  THAT(later >= now + 2 * MS);
  OK(strait_typed_producer_open(&values, region, "values", hash, 8));
  OK(strait_typed_producer_send_until(&values, &value, 8, now));
  OK(strait_wait_any_until(region, all, 3, &index, now));
  THAT(index == 1);
  OK(strait_producer_open(&tx, region, "events"));
  OK(strait_producer_send_until(&tx, 1, "e", 1, now));
  OK(strait_typed_consumer_recv_until(&numbers, &value, 8, NULL, now));
  OK(strait_wait_any_timeout(region, all, 3, &index, MS));
  THAT(index == 2);
  all[2].frames = &log; /* Twice. */
  CHECK(strait_wait_any_timeout(region, all, 3, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  all[2].frames = &lone;
  CHECK(strait_wait_any_timeout(region, all, 3, &index, 0), STRAIT_STATUS_NO_DOORBELL);
  all[2].values = &numbers;
  CHECK(strait_wait_any_timeout(region, all, 3, &index, 0), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_consumer_recv_until(&events, buffer, sizeof buffer, NULL, now));
  CHECK(strait_consumer_recv_until(&events, buffer, sizeof buffer, NULL, now), STRAIT_STATUS_TIMED_OUT);
  CHECK(strait_typed_consumer_recv_until(&numbers, &value, 8, NULL, now), STRAIT_STATUS_TIMED_OUT);

  OK(strait_latest_reader_open(&reader, region, "last"));
  CHECK(strait_latest_wait_until(&reader, &value, 8, NULL, now), STRAIT_STATUS_EMPTY);
  OK(strait_mutex_open(&mutex, region, "pair", hash, 8));
  OK(strait_mutex_lock_until(&mutex, now));
  OK(strait_mutex_unlock(&mutex));
  OK(strait_semaphore_open(&ticks, region, "ticks"));
  CHECK(strait_semaphore_acquire_until(&ticks, now), STRAIT_STATUS_TIMED_OUT);
  OK(strait_semaphore_release(&ticks, 1));
  OK(strait_semaphore_acquire_until(&ticks, now));
  CHECK(strait_now_ns(region, NULL), STRAIT_STATUS_BAD_ARGUMENT);

  OK(strait_semaphore_close(&ticks));
  OK(strait_mutex_close(&mutex));
  OK(strait_latest_reader_close(&reader));
  OK(strait_producer_close(&tx));
  OK(strait_typed_producer_close(&values));
  OK(strait_typed_consumer_close(&numbers));
  OK(strait_consumer_close(&lone));
  OK(strait_consumer_close(&events));
  OK(strait_consumer_close(&log));
}

/* A lock that is given up unrepaired is poisoned, and set anew. */
static void given_up(const char *place) {
  const uint64_t hash = strait_type_hash("u64");
  strait_region_t region = {0};
  strait_mutex_t mutex = {0};
  uint64_t value = 4;
  const pid_t child = fork();
  THAT(child >= 0);
  if (child == 0) {
    OK(strait_open(&region, place, 0));
    OK(strait_mutex_open(&mutex, &region, "pair", hash, 8));
    OK(strait_mutex_try_lock(&mutex));
    _exit(0); /* With the lock. */
  }
  THAT(waitpid(child, NULL, 0) == child);
  OK(strait_open(&region, place, 0));
  OK(strait_mutex_open(&mutex, &region, "pair", hash, 8));
  CHECK(strait_mutex_lock_timeout(&mutex, 1000 * MS), STRAIT_STATUS_OWNER_DIED);
  OK(strait_mutex_unlock(&mutex)); /* Given up. */
  CHECK(strait_mutex_try_lock(&mutex), STRAIT_STATUS_POISONED);
  OK(strait_mutex_reinitialise(&mutex, &value, 8));
  OK(strait_mutex_unlock(&mutex));
  CHECK(strait_mutex_give_up(&mutex), STRAIT_STATUS_WRONG_STATE);
  OK(strait_mutex_try_lock(&mutex));
  OK(strait_mutex_give_up(&mutex));
  CHECK(strait_mutex_try_lock(&mutex), STRAIT_STATUS_POISONED);
  OK(strait_mutex_reinitialise(&mutex, &value, 8));
  OK(strait_mutex_unlock(&mutex));
  OK(strait_mutex_try_lock(&mutex));
  OK(strait_mutex_close(&mutex));
  OK(strait_region_close(&region));
}

static void directory(void) {
  strait_region_t region = {0};
  char folder[] = "/tmp/strait-capi-XXXXXX", place[100], expected[100];
  THAT(mkdtemp(folder));
  OK(strait_place_in(place, sizeof place, folder, "arm"));
  snprintf(expected, sizeof expected, "%s/strait.arm", folder);
  THAT(!strcmp(place, expected));
  OK(strait_create(&region, place, &plan, 0));
  OK(strait_region_close(&region));
  OK(strait_open(&region, place, STRAIT_READ_ONLY));
  OK(strait_region_close(&region));
  OK(strait_remove(place));
  CHECK(strait_place_in(place, strlen(expected), folder, "arm"), STRAIT_STATUS_TOO_SMALL);
  OK(strait_place_in(place, strlen(expected) + 1, folder, "arm"));
  CHECK(strait_place_in(place, sizeof place, folder, "a/b"), STRAIT_STATUS_BAD_NAME);
  CHECK(strait_place_in(place, sizeof place, "here", "arm"), STRAIT_STATUS_NOT_TRUSTED);
  CHECK(strait_place_in(place, sizeof place, NULL, "arm"), STRAIT_STATUS_BAD_ARGUMENT);
  THAT(chmod(folder, 0777) == 0);
  CHECK(strait_place_in(place, sizeof place, folder, "arm"), STRAIT_STATUS_NOT_TRUSTED);
  THAT(rmdir(folder) == 0);
  CHECK(strait_place_in(place, sizeof place, folder, "arm"), STRAIT_STATUS_NOT_FOUND);
}

static void options(const char *path) {
  strait_region_t region = {0}, other = {0};
  strait_options_t wanted = {0, 0, 0, 0};
  struct stat found;
  bool yes = false;
  int ended = 0;
  pid_t child;
  wanted.mode = 0640;
  CHECK(strait_create_with(&region, path, &plan, &wanted), STRAIT_STATUS_BAD_ARGUMENT);
  wanted.flags = STRAIT_READERS;
  CHECK(strait_create_with(&region, path, &plan, NULL), STRAIT_STATUS_OK);
  OK(strait_region_close(&region));
  THAT(stat(path, &found) == 0 && (found.st_mode & 0777) == 0600);
  OK(strait_remove(path));
  OK(strait_open_or_create_with(&region, path, &plan, &wanted));
  THAT(stat(path, &found) == 0 && (found.st_mode & 0777) == 0640);
  CHECK(strait_open(&other, path, 0), STRAIT_STATUS_NOT_TRUSTED);
  OK(strait_open_with(&other, path, &wanted));
  OK(strait_region_close(&other));
  wanted.flags = STRAIT_OWNER;
  wanted.owner = (uint32_t)getuid() + 1;
  CHECK(strait_open_with(&other, path, &wanted), STRAIT_STATUS_NOT_TRUSTED);
  wanted.owner = (uint32_t)getuid();
  OK(strait_open_with(&other, path, &wanted));
  OK(strait_region_close(&other));
  wanted.flags = STRAIT_ANY_OWNER | STRAIT_READ_ONLY;
  OK(strait_open_with(&other, path, &wanted));
  THAT(strait_region_ident(&other) == 0);
  OK(strait_region_close(&other));
  wanted.flags = 0x80;
  CHECK(strait_open_with(&other, path, &wanted), STRAIT_STATUS_BAD_ARGUMENT);

  OK(strait_region_sync(&region));
  OK(strait_region_is_current(&region, &yes));
  THAT(yes);
  OK(strait_region_forked(&region, &yes));
  THAT(!yes);
  child = fork();
  if (child == 0) {
    OK(strait_region_forked(&region, &yes));
    _exit(yes ? 0 : 1);
  }
  THAT(waitpid(child, &ended, 0) == child && ended == 0);
  OK(strait_remove(path));
  OK(strait_region_is_current(&region, &yes));
  THAT(!yes);
  CHECK(strait_sealed_share(&region, 0), STRAIT_STATUS_WRONG_STATE);
  OK(strait_region_close(&region));
}

static void sealed(void) {
  strait_region_t region = {0}, theirs = {0};
  strait_producer_t tx = {0};
  strait_consumer_t rx = {0};
  strait_options_t readers = {0, 0666, 0, 0};
  char buffer[100];
  bool yes = false;
  int ends[2];
  THAT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  OK(strait_sealed_create(&region, &plan, &readers));
  CHECK(strait_sealed_share(&region, -1), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_sealed_share(&region, ends[0]));
  OK(strait_sealed_receive(&theirs, ends[1], &readers));
  OK(strait_region_is_current(&theirs, &yes));
  THAT(yes && strait_region_ident(&theirs) != strait_region_ident(&region));
  OK(strait_producer_open(&tx, &region, "log"));
  OK(strait_consumer_open(&rx, &theirs, "log", NULL));
  OK(strait_producer_try_send(&tx, 1, "handed over", 11));
  OK(strait_consumer_try_recv(&rx, buffer, sizeof buffer, NULL));
  THAT(!memcmp(buffer, "handed over", 11));
  OK(strait_consumer_close(&rx));
  OK(strait_producer_close(&tx));
  OK(strait_region_close(&theirs));
  THAT(write(ends[0], "x", 1) == 1);
  CHECK(strait_sealed_receive(&theirs, ends[1], NULL), STRAIT_STATUS_NOT_A_REGION);
  close(ends[0]);
  CHECK(strait_sealed_receive(&theirs, ends[1], NULL), STRAIT_STATUS_CLOSED);
  CHECK(strait_sealed_share(&region, ends[1]), STRAIT_STATUS_CLOSED);
  close(ends[1]);
  OK(strait_region_close(&region));
}

/* Memory of the program's own has no name and no file. */
static void memory_of_ones_own(void) {
  static union {
    uint64_t align[4096];
    uint8_t bytes[32768];
  } memory;
  strait_region_t region = {0};
  strait_permits_t one = {0};
  uint32_t size = 0;
  bool yes = false;
  strait_plan_t small = plan;
  small.line = 8;
  OK(strait_plan_size(&small, &size));
  THAT(size <= sizeof memory);
  OK(strait_format(memory.bytes, size, &small, 1, true));
  OK(strait_attach(&region, memory.bytes, size, NULL));
  CHECK(strait_region_is_current(&region, &yes), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_region_forked(&region, &yes), STRAIT_STATUS_WRONG_STATE);
  CHECK(strait_region_sync(&region), STRAIT_STATUS_WRONG_STATE);
  OK(strait_permits_open(&one, &region, "slots"));
  OK(strait_permits_try_acquire(&one, NULL));
  CHECK(strait_region_close(&region), STRAIT_STATUS_IN_USE);
  OK(strait_permits_close(&one));
  OK(strait_region_close(&region));
}

int main(int argc, char **argv) {
  strait_region_t region = {0};
  if (argc != 3) return 2;
  make_plan();
  OK(strait_create(&region, argv[1], &plan, 0));
  frames_in_batches(&region);
  values_in_batches(&region);
  permits(&region);
  waits(&region);
  OK(strait_region_close(&region));
  permit_of_the_dead(argv[1]);
  given_up(argv[1]);
  OK(strait_remove(argv[1]));
  directory();
  options(argv[2]);
  sealed();
  memory_of_ones_own();
  puts("more: done");
  return 0;
}
