/* Two processes on one region: the child sends samples of an angle, takes a lock, and is killed with it. The
 * parent receives every sample, and goes on with the value that was last committed under the lock. */
#define _POSIX_C_SOURCE 200809L
#include <strait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 3
#define MS 1000000u
#define PATIENCE (UINT64_C(10000) * MS)

typedef struct {
  uint64_t time_ns;
  double angle_rad;
} sample;
/* The same in Rust: `strait::message! { struct Sample { time_ns: u64, /// From the encoder.
 *                                                     angle_rad: f64 [unit = "rad"] } }`. */
static const strait_field_t sample_fields[] = {
    STRAIT_FIELD(sample, u64, time_ns),
    STRAIT_FIELD_ABOUT(sample, f64, angle_rad, "rad", "From the encoder."),
};
static const strait_message_t sample_message = STRAIT_MESSAGE("Sample", sample, sample_fields);
#define SAMPLE strait_message_hash(&sample_message)

/* Ends the program if a call failed. */
static void ok(strait_status status, const char *call) {
  if (status == STRAIT_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", call, strait_status_text(status));
  exit(1);
}
#define OK(call) ok(call, #call)

static void child(const char *name) {
  const sample half_done = {1, -1.0}, committed = {2, 0.5};
  strait_region_t region = {0};
  strait_typed_producer_t angles = {0};
  strait_mutex_t best = {0};
  uint64_t i;
  OK(strait_open(&region, name, 0));
  OK(strait_typed_producer_open(&angles, &region, "angles", SAMPLE, sizeof(sample)));
  OK(strait_mutex_open(&best, &region, "best", SAMPLE, sizeof(sample)));
  OK(strait_mutex_lock_timeout(&best, PATIENCE));
  OK(strait_mutex_set(&best, &half_done, sizeof half_done));
  OK(strait_mutex_set(&best, &committed, sizeof committed));
  for (i = 1; i <= COUNT; i++) {
    sample now = {0, 0.0};
    OK(strait_now_ns(&region, &now.time_ns));
    now.angle_rad = 0.1 * (double)i;
    OK(strait_typed_producer_send_timeout(&angles, &now, sizeof now, PATIENCE));
  }
  for (;;) pause(); /* With the lock, until it is killed. */
}

int main(void) {
  strait_channel_t channels[2] = {{0}, {0}};
  strait_plan_t plan = {0};
  strait_region_t region = {0};
  strait_typed_consumer_t angles = {0};
  strait_mutex_t best = {0};
  strait_status status;
  sample got = {0, 0.0};
  uint32_t sequence = 0;
  const strait_message_t *const described = &sample_message;
  char name[32], description[256], byte = 0;
  int created[2], i;
  pid_t pid;

  channels[0].name = "angles";
  channels[0].kind = STRAIT_KIND_SLOTS;
  channels[0].capacity = 16;
  channels[0].size = sizeof(sample);
  channels[0].type_hash = SAMPLE;
  channels[0].flags = STRAIT_CONSUMER_MAY_BLOCK;
  channels[1].name = "best";
  channels[1].kind = STRAIT_KIND_MUTEX;
  channels[1].size = sizeof(sample);
  channels[1].type_hash = SAMPLE;
  plan.channels = channels;
  plan.channel_count = 2;
  /* So that tools and other languages know the fields: `strait watch`, region.dtype("angles") in Python. */
  OK(strait_describe(&described, 1, description, sizeof description, NULL));
  plan.description = description;

  /* Fork first, then open: a child takes no part in what its parent had open. */
  snprintf(name, sizeof name, "hello-c-%ld", (long)getpid());
  if (pipe(created) != 0) return 1;
  pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    if (read(created[0], &byte, 1) != 1) _exit(1);
    child(name);
  }
  OK(strait_create(&region, name, &plan, 0));
  if (write(created[1], &byte, 1) != 1) return 1;

  OK(strait_typed_consumer_open(&angles, &region, "angles", SAMPLE, sizeof(sample), NULL));
  for (i = 0; i < COUNT; i++) {
    OK(strait_typed_consumer_recv_timeout(&angles, &got, sizeof got, &sequence, PATIENCE));
    printf("sample %lu: %.1f rad\n", (unsigned long)sequence, got.angle_rad);
  }

  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  OK(strait_mutex_open(&best, &region, "best", SAMPLE, sizeof(sample)));
  status = strait_mutex_lock_timeout(&best, PATIENCE);
  if (status != STRAIT_STATUS_OWNER_DIED) {
    fprintf(stderr, "the lock of the killed child: %s\n", strait_status_text(status));
    return 1;
  }
  OK(strait_mutex_roll_back(&best));
  OK(strait_mutex_get(&best, &got, sizeof got));
  OK(strait_mutex_unlock(&best));
  printf("the child died with the lock; its last committed value is %.1f rad\n", got.angle_rad);

  OK(strait_mutex_close(&best));
  OK(strait_typed_consumer_close(&angles));
  OK(strait_region_close(&region));
  OK(strait_remove(name));
  return got.angle_rad == 0.5 ? 0 : 1;
}
