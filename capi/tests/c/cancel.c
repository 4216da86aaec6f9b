/* Threads that are cancelled while they open, close and wait: no call is broken off half-way, so that later
 * forks and opens go on, and nothing that a thread held is lost. cancel REGION */
#define _GNU_SOURCE
#include "strait.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS 1000000ull

static const char *name;

static void ok(strait_status status, const char *what) {
  if (status != STRAIT_STATUS_OK) {
    fprintf(stderr, "cancel: %s: %s\n", what, strait_status_text(status));
    exit(1);
  }
}

static void close_region(void *region) {
  const strait_status closed = strait_region_close(region);
  if (closed != STRAIT_STATUS_NOT_OPEN) ok(closed, "close");
}

/* Opens and closes for ever. What is open when it is cancelled is closed: by the time that a cancel takes
 * effect a call is over. */
static void *opens(void *unused) {
  strait_region_t region;
  (void)unused;
  memset(&region, 0, sizeof region);
  pthread_cleanup_push(close_region, &region);
  for (;;) {
    ok(strait_open(&region, name, 0), "open");
    pthread_testcancel();
    ok(strait_region_close(&region), "close again");
    pthread_testcancel();
  }
  pthread_cleanup_pop(0);
  return NULL;
}

static strait_consumer_t consumer;
static volatile int waits_over;

/* Waits without end for what never comes. */
static void *waits(void *unused) {
  uint8_t buffer[16];
  (void)unused;
  for (;;) {
    const strait_status got = strait_consumer_recv_timeout(&consumer, buffer, sizeof buffer, NULL, 20 * MS);
    if (got != STRAIT_STATUS_TIMED_OUT) ok(got == STRAIT_STATUS_OK ? STRAIT_STATUS_SYSTEM : got, "receive");
    waits_over++;
    pthread_testcancel();
  }
  return NULL;
}

static void fork_once(void) {
  const pid_t child = fork();
  if (child < 0) exit(1);
  if (child == 0) _exit(0);
  if (waitpid(child, NULL, 0) != child) exit(1);
}

/* How many descriptors are open, the one of the look included. */
static int descriptors(void) {
  DIR *found = opendir("/proc/self/fd");
  int count = 0;
  if (found == NULL) exit(1);
  while (readdir(found) != NULL) count++;
  closedir(found);
  return count;
}

int main(int argc, char **argv) {
  strait_region_t region;
  strait_channel_t channel;
  strait_plan_t plan;
  strait_producer_t producer;
  pthread_t thread;
  uint8_t buffer[16];
  strait_region_t more[3];
  void *ended = NULL;
  int before, i;
  if (argc != 2) return 2;
  name = argv[1];
  memset(&region, 0, sizeof region);
  memset(&channel, 0, sizeof channel);
  memset(&plan, 0, sizeof plan);
  memset(&producer, 0, sizeof producer);
  channel.name = "q";
  channel.kind = STRAIT_KIND_FRAMES;
  channel.capacity = 1024;
  channel.size = 16;
  channel.flags = STRAIT_CONSUMER_MAY_BLOCK;
  plan.channels = &channel;
  plan.channel_count = 1;
  plan.participants = 4;
  /* Should a fork or an open hang, this ends the program. */
  alarm(10);
  ok(strait_create(&region, name, &plan, 0), "create");
  before = descriptors();
  for (i = 0; i < 400; i++) {
    if (pthread_create(&thread, NULL, opens, NULL) != 0) return 1;
    usleep((useconds_t)(i * 37 % 1000));
    if (pthread_cancel(thread) != 0) return 1;
    if (pthread_join(thread, &ended) != 0 || ended != PTHREAD_CANCELED) return 1;
    fork_once();
  }
  if (descriptors() != before) {
    fprintf(stderr, "cancel: %d descriptors were open, now %d\n", before, descriptors());
    return 1;
  }
  /* Every place but ours is free. */
  memset(more, 0, sizeof more);
  for (i = 0; i < 3; i++) ok(strait_open(&more[i], name, 0), "open after all");
  for (i = 0; i < 3; i++) ok(strait_region_close(&more[i]), "close after all");
  ok(strait_consumer_open(&consumer, &region, "q", NULL), "consumer");
  for (i = 0; i < 20; i++) {
    const int over = waits_over;
    if (pthread_create(&thread, NULL, waits, NULL) != 0) return 1;
    usleep((useconds_t)(1000 + i * 300));
    if (pthread_cancel(thread) != 0) return 1;
    if (pthread_join(thread, &ended) != 0 || ended != PTHREAD_CANCELED) return 1;
    if (waits_over == over) {
      fprintf(stderr, "cancel: a wait was broken off\n");
      return 1;
    }
    fork_once();
  }
  ok(strait_producer_open(&producer, &region, "q"), "producer");
  ok(strait_producer_try_send(&producer, 1, "whole", 5), "send");
  ok(strait_consumer_try_recv(&consumer, buffer, sizeof buffer, NULL), "receive");
  ok(strait_producer_close(&producer), "close the producer");
  ok(strait_consumer_close(&consumer), "close the consumer");
  ok(strait_region_close(&region), "close the region");
  ok(strait_remove(name), "remove");
  return 0;
}
