/* A HAL component that maps pins to latest values of a strait region, both ways.
 *
 *     loadusr -Wn strait strait-hal --region machine --publish feedback position:float enabled:bit
 *                           --read command velocity:float run:bit
 *
 * It runs in user space and works by polling. Neither side needs the other: the pins keep their last values while
 * nobody writes the region, and the region keeps its values while no HAL runs. */
#define _POSIX_C_SOURCE 200809L
#include <hal.h>
#include <rtapi.h>
#include <strait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CHANNELS 16
#define MAX_FIELDS 64
#define MAX_SIZE (8 * MAX_FIELDS + 8)
#define NS_PER_US 1000u
#define NS_PER_S 1000000000
/* How long the region is left alone after it could not be opened. */
#define RETRY_NS 100000000
/* How often it is asked whether the region's name still leads to it. */
#define CURRENT_NS 1000000000

static const char HELP[] =
  "usage: strait-hal --region REGION [OPTION..] {--publish|--read} CHANNEL FIELD:TYPE.. ..\n"
  "\n"
  "Each CHANNEL is a latest value of one struct, each FIELD the pin COMPONENT.CHANNEL.FIELD. TYPE is float (f64 in\n"
  "the struct), s32 (i32), u32, or bit (u32, 0 or 1). Floats come first. If there are any, an odd number of others is\n"
  "followed by a u32 named `pad`.\n"
  "\n"
  "  --region REGION        a name, or a path if it holds a slash; it is made if it is not there\n"
  "  --publish CHANNEL ..   input pins, published once in each period\n"
  "  --read CHANNEL ..      output pins, read once in each period\n"
  "  --name COMPONENT       the component's name (default: strait)\n"
  "  --period-us N          the period in microseconds, 50 to 1000000 (default: 1000)\n"
  "  --silent-ms N          a channel that is read is silent after N milliseconds without a value (default: 100)\n"
  "  --print                prints the structs as Rust and C know them, and ends\n"
  "\n"
  "Further pins: COMPONENT.connected; COMPONENT.heartbeat, for a watchdog; for each channel that is read,\n"
  "CHANNEL.silent and CHANNEL.updates.\n";

typedef union {
  hal_float_t *f;
  hal_s32_t *s;
  hal_u32_t *u;
  hal_bit_t *b;
} pin_ptr;

typedef struct {
  char name[HAL_NAME_LEN + 1];
  hal_type_t type;
  uint32_t offset;
  pin_ptr *pin;
} field;

typedef struct {
  const char *name;
  bool is_read;
  field fields[MAX_FIELDS];
  uint32_t field_count, size;
  char descriptor[MAX_FIELDS * (HAL_NAME_LEN + 24)];
  uint64_t hash;
  pin_ptr *silent, *updates;
  /* Monotonic; when a value was read that was published since the region was opened. */
  int64_t heard_ns;
  /* The region was just opened: a value in it may have a writer that is long dead. */
  bool is_first;
  strait_latest_writer_t writer;
  strait_latest_reader_t reader;
  bool is_open;
} channel;

static channel channels[MAX_CHANNELS];
static uint32_t channel_count;
static const char *component = "strait", *place;
static int64_t period_ns = 1000 * NS_PER_US, silent_ns = 100000 * NS_PER_US;
static strait_region_t region;
static bool region_is_open;
static pin_ptr *connected, *heartbeat;
static volatile sig_atomic_t stopped;
/* What was said last, so that it is said once. */
static strait_status said = STRAIT_STATUS_OK;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static void usage(const char *format, ...) {
  va_list words;
  va_start(words, format);
  fputs("strait-hal: ", stderr);
  vfprintf(stderr, format, words);
  fputs("\nTry `strait-hal --help`.\n", stderr);
  va_end(words);
  exit(2);
}

/* Why the region or one of its channels cannot be used; said once, as it is tried again and again. */
static void complain(const char *what, strait_status status) {
  if (status == said) return;
  said = status;
  fprintf(stderr, "%s: region `%s`, %s: %s; trying again\n", component, place, what, strait_status_text(status));
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static uint32_t size_of(hal_type_t type) { return type == HAL_FLOAT ? 8 : 4; }

static const char *scalar_of(hal_type_t type) {
  return type == HAL_FLOAT ? "f64" : type == HAL_S32 ? "i32" : "u32";
}

/* Whether it can be a name in Rust, C and HAL. */
static bool is_name(const char *name, size_t len) {
  size_t i;
  if (len == 0 || len > HAL_NAME_LEN || (name[0] >= '0' && name[0] <= '9')) return false;
  for (i = 0; i < len; i++)
    if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name[i])) return false;
  return true;
}

static void add_field(channel *to, const char *word) {
  static const struct {
    const char *name;
    hal_type_t type;
  } TYPES[] = {{"float", HAL_FLOAT}, {"s32", HAL_S32}, {"u32", HAL_U32}, {"bit", HAL_BIT}};
  const char *colon = strchr(word, ':');
  field *added = &to->fields[to->field_count];
  size_t i, len = colon ? (size_t)(colon - word) : 0;
  if (to->field_count == MAX_FIELDS) usage("channel `%s`: more than %d fields", to->name, MAX_FIELDS);
  if (!colon || !is_name(word, len))
    usage("channel `%s`: `%s` is not FIELD:TYPE with a FIELD of lower-case letters, digits and `_`", to->name, word);
  for (i = 0; i < 4 && strcmp(colon + 1, TYPES[i].name) != 0; i++) continue;
  if (i == 4) usage("channel `%s`: `%s` is none of the types float, s32, u32 and bit", to->name, colon + 1);
  memcpy(added->name, word, len);
  added->type = TYPES[i].type;
  if (added->type == HAL_FLOAT && to->size % 8 != 0)
    usage("channel `%s`: put the float `%s` before the fields of other types", to->name, added->name);
  if (strcmp(added->name, "pad") == 0 || (to->is_read && (!strcmp(added->name, "silent") || !strcmp(added->name, "updates"))))
    usage("channel `%s`: a field cannot have the name `%s`", to->name, added->name);
  for (i = 0; i < to->field_count; i++)
    if (strcmp(to->fields[i].name, added->name) == 0) usage("channel `%s`: two fields `%s`", to->name, added->name);
  added->offset = to->size;
  to->size += size_of(added->type);
  to->field_count++;
}

static bool has_pad(const channel *of) { return of->fields[0].type == HAL_FLOAT && of->size % 8 != 0; }

/* Ends the struct: its padding, its descriptor, and the hash of that. */
static void end_channel(channel *of) {
  char *to = of->descriptor;
  uint32_t i;
  bool pad;
  if (of->field_count == 0) usage("channel `%s` has no fields", of->name);
  pad = has_pad(of);
  *to++ = '{';
  for (i = 0; i < of->field_count; i++) {
    const field *each = &of->fields[i];
    to += sprintf(to, "%s:%s@%u;", each->name, scalar_of(each->type), each->offset);
  }
  if (pad) {
    to += sprintf(to, "pad:u32@%u;", of->size);
    of->size += 4;
  }
  sprintf(to, "size=%u}", of->size);
  of->hash = strait_type_hash(of->descriptor);
}

static void print_struct(const channel *of) {
  uint32_t i;
  printf("// Channel `%s`. In C: strait_type_hash(\"%s\")\nstrait::message! {\n    pub struct ", of->name, of->descriptor);
  putchar(of->name[0] >= 'a' && of->name[0] <= 'z' ? of->name[0] - 'a' + 'A' : of->name[0]);
  printf("%s {\n", of->name + 1);
  for (i = 0; i < of->field_count; i++)
    printf("        pub %s: %s,\n", of->fields[i].name, scalar_of(of->fields[i].type));
  if (of->size > of->fields[of->field_count - 1].offset + size_of(of->fields[of->field_count - 1].type))
    puts("        pub pad: u32,");
  puts("    }\n}");
}

static int64_t number(const char *option, const char *word, int64_t least, int64_t most) {
  char *end = NULL;
  long long value;
  if (!word) usage("%s needs a number", option);
  errno = 0;
  value = strtoll(word, &end, 10);
  if (errno || end == word || *end || value < least || value > most)
    usage("%s: `%s` is no number from %lld to %lld", option, word, (long long)least, (long long)most);
  return value;
}

/* Reads the command line; returns whether the structs are to be printed. */
static bool parse(char **words) {
  channel *current = NULL;
  bool print = false;
  uint32_t i;
  for (; *words; words++) {
    const char *word = *words;
    if (strcmp(word, "--help") == 0) {
      fputs(HELP, stdout);
      exit(0);
    } else if (strcmp(word, "--print") == 0) {
      print = true;
    } else if (strcmp(word, "--region") == 0 || strcmp(word, "--name") == 0) {
      if (!*++words) usage("%s needs a word", word);
      if (word[2] == 'r') place = *words;
      else component = *words;
    } else if (strcmp(word, "--period-us") == 0) {
      period_ns = number(word, *++words, 50, 1000000) * NS_PER_US;
    } else if (strcmp(word, "--silent-ms") == 0) {
      silent_ns = number(word, *++words, 1, 1000000) * 1000 * NS_PER_US;
    } else if (strcmp(word, "--publish") == 0 || strcmp(word, "--read") == 0) {
      if (channel_count == MAX_CHANNELS) usage("more than %d channels", MAX_CHANNELS);
      if (!*++words || !is_name(*words, strlen(*words)) || strlen(*words) > 31)
        usage("%s needs the name of a channel: up to 31 lower-case letters, digits and `_`", word);
      for (i = 0; i < channel_count; i++)
        if (strcmp(channels[i].name, *words) == 0) usage("two channels `%s`", *words);
      current = &channels[channel_count++];
      current->name = *words;
      current->is_read = word[2] == 'r';
    } else if (word[0] == '-' || !current) {
      usage("`%s` is not expected here", word);
    } else {
      add_field(current, word);
    }
  }
  if (!place && !print) usage("there is no --region");
  if (channel_count == 0) usage("there is no --publish and no --read");
  for (i = 0; i < channel_count; i++) end_channel(&channels[i]);
  return print;
}

/* A pin of the component. It is memory of the HAL's. */
static pin_ptr *new_pin(int id, hal_type_t type, hal_pin_dir_t direction, const char *format, ...) {
  char name[HAL_NAME_LEN + 1];
  pin_ptr *pin = hal_malloc(sizeof *pin);
  va_list words;
  int len;
  va_start(words, format);
  len = vsnprintf(name, sizeof name, format, words);
  va_end(words);
  if (len < 0 || (size_t)len >= sizeof name) {
    fprintf(stderr, "%s: the pin `%s..` has a name of more than %d bytes\n", component, name, HAL_NAME_LEN);
    return NULL;
  }
  if (!pin || hal_pin_new(name, type, direction, (void **)pin, id) != 0) {
    fprintf(stderr, "%s: the HAL gives no pin `%s`; what it says of it is above\n", component, name);
    return NULL;
  }
  return pin;
}

static bool make_pins(int id) {
  uint32_t i, k;
  connected = new_pin(id, HAL_BIT, HAL_OUT, "%s.connected", component);
  heartbeat = new_pin(id, HAL_BIT, HAL_OUT, "%s.heartbeat", component);
  if (!connected || !heartbeat) return false;
  for (i = 0; i < channel_count; i++) {
    channel *of = &channels[i];
    hal_pin_dir_t direction = of->is_read ? HAL_OUT : HAL_IN;
    for (k = 0; k < of->field_count; k++) {
      field *each = &of->fields[k];
      each->pin = new_pin(id, each->type, direction, "%s.%s.%s", component, of->name, each->name);
      if (!each->pin) return false;
    }
    if (!of->is_read) continue;
    of->silent = new_pin(id, HAL_BIT, HAL_OUT, "%s.%s.silent", component, of->name);
    of->updates = new_pin(id, HAL_U32, HAL_OUT, "%s.%s.updates", component, of->name);
    if (!of->silent || !of->updates) return false;
    *of->silent->b = true;
  }
  return true;
}

static void disconnect(void) {
  uint32_t i;
  *connected->b = false;
  for (i = 0; i < channel_count; i++) {
    if (!channels[i].is_open) continue;
    channels[i].is_open = false;
    if (channels[i].is_read) strait_latest_reader_close(&channels[i].reader);
    else strait_latest_writer_close(&channels[i].writer);
  }
  if (region_is_open) strait_region_close(&region);
  region_is_open = false;
}

/* Opens one channel; its type must be ours, whichever side it is. */
static strait_status open_channel(channel *of) {
  strait_channel_info_t info;
  strait_status status;
  uint32_t i, count = 0;
  if (!of->is_read) return strait_latest_writer_open(&of->writer, &region, of->name, of->hash, of->size);
  status = strait_channel_count(&region, &count);
  for (i = 0; i < count && status == STRAIT_STATUS_OK; i++) {
    status = strait_channel_info(&region, i, &info);
    if (status == STRAIT_STATUS_OK && strcmp((const char *)info.name, of->name) == 0 && info.type_hash != of->hash)
      return STRAIT_STATUS_TYPE;
  }
  return status == STRAIT_STATUS_OK ? strait_latest_reader_open(&of->reader, &region, of->name) : status;
}

/* Opens the region and all channels, or nothing. */
static void connect(void) {
  strait_channel_t planned[MAX_CHANNELS];
  strait_plan_t plan;
  strait_status status;
  uint32_t i;
  memset(planned, 0, sizeof planned);
  memset(&plan, 0, sizeof plan);
  for (i = 0; i < channel_count; i++) {
    planned[i].name = channels[i].name;
    planned[i].kind = STRAIT_KIND_LATEST;
    planned[i].size = channels[i].size;
    planned[i].type_hash = channels[i].hash;
    planned[i].flags = STRAIT_CONSUMER_MAY_BLOCK;
  }
  plan.channels = planned;
  plan.channel_count = channel_count;
  status = strait_open_or_create(&region, place, &plan, 0);
  if (status != STRAIT_STATUS_OK) {
    complain("open", status);
    return;
  }
  region_is_open = true;
  for (i = 0; i < channel_count; i++) {
    status = open_channel(&channels[i]);
    if (status != STRAIT_STATUS_OK) {
      complain(channels[i].name, status);
      disconnect();
      return;
    }
    channels[i].is_open = channels[i].is_first = true;
  }
  if (said != STRAIT_STATUS_OK) fprintf(stderr, "%s: region `%s`: connected\n", component, place);
  said = STRAIT_STATUS_OK;
  *connected->b = true;
}

static strait_status publish(channel *of) {
  unsigned char bytes[MAX_SIZE] = {0};
  uint32_t i;
  for (i = 0; i < of->field_count; i++) {
    const field *from = &of->fields[i];
    double real;
    int32_t whole;
    uint32_t word;
    switch (from->type) {
    case HAL_FLOAT: real = *from->pin->f; memcpy(bytes + from->offset, &real, sizeof real); break;
    case HAL_S32: whole = *from->pin->s; memcpy(bytes + from->offset, &whole, sizeof whole); break;
    case HAL_BIT: word = *from->pin->b; memcpy(bytes + from->offset, &word, sizeof word); break;
    default: word = *from->pin->u; memcpy(bytes + from->offset, &word, sizeof word); break;
    }
  }
  return strait_latest_publish(&of->writer, 0, bytes, of->size, NULL);
}

static strait_status take(channel *of, int64_t now) {
  unsigned char bytes[MAX_SIZE];
  strait_value_t value;
  strait_status status = strait_latest_read(&of->reader, bytes, of->size, &value);
  uint32_t i;
  *of->silent->b = now - of->heard_ns > silent_ns;
  if (status == STRAIT_STATUS_EMPTY) of->is_first = false;
  if (status == STRAIT_STATUS_STALE || status == STRAIT_STATUS_EMPTY || status == STRAIT_STATUS_CONTENDED)
    return STRAIT_STATUS_OK;
  if (status != STRAIT_STATUS_OK) return status;
  for (i = 0; i < of->field_count; i++) {
    const field *to = &of->fields[i];
    double real;
    int32_t whole;
    uint32_t word;
    switch (to->type) {
    case HAL_FLOAT: memcpy(&real, bytes + to->offset, sizeof real); *to->pin->f = real; break;
    case HAL_S32: memcpy(&whole, bytes + to->offset, sizeof whole); *to->pin->s = whole; break;
    case HAL_BIT: memcpy(&word, bytes + to->offset, sizeof word); *to->pin->b = word != 0; break;
    default: memcpy(&word, bytes + to->offset, sizeof word); *to->pin->u = word; break;
    }
  }
  *of->updates->u += 1;
  if (of->is_first) {
    of->is_first = false;
    return STRAIT_STATUS_OK;
  }
  of->heard_ns = now;
  *of->silent->b = false;
  return STRAIT_STATUS_OK;
}

/* One period's work while the region is open. */
static void exchange(int64_t now, int64_t *asked_ns) {
  strait_status status;
  uint32_t i;
  bool current = true;
  for (i = 0; i < channel_count; i++) {
    status = channels[i].is_read ? take(&channels[i], now) : publish(&channels[i]);
    if (status != STRAIT_STATUS_OK) {
      complain(channels[i].name, status);
      disconnect();
      return;
    }
  }
  if (now - *asked_ns < CURRENT_NS) return;
  *asked_ns = now;
  if (strait_region_is_current(&region, &current) == STRAIT_STATUS_OK && !current) {
    fprintf(stderr, "%s: region `%s` was removed or made anew; opening it again\n", component, place);
    disconnect();
  }
}

static void run(void) {
  int64_t next = now_ns(), tried = next - RETRY_NS, asked = next;
  uint32_t i;
  while (!stopped) {
    int64_t now = now_ns();
    struct timespec until;
    if (!region_is_open && now - tried >= RETRY_NS) {
      tried = now;
      connect();
    }
    if (region_is_open) exchange(now, &asked);
    for (i = 0; i < channel_count && !region_is_open; i++)
      if (channels[i].is_read) *channels[i].silent->b = now - channels[i].heard_ns > silent_ns;
    *heartbeat->b = !*heartbeat->b;
    next += period_ns;
    /* After a stop of the process, periods are left out rather than made up for. */
    if (next < now) next = now;
    until.tv_sec = next / NS_PER_S;
    until.tv_nsec = next % NS_PER_S;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR && !stopped) continue;
  }
}

int main(int argc, char **argv) {
  struct sigaction action;
  uint32_t i;
  int id;
  (void)argc;
  if (parse(argv + 1)) {
    for (i = 0; i < channel_count; i++) print_struct(&channels[i]);
    return 0;
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  id = hal_init(component);
  if (id < 0) {
    fprintf(stderr, "%s: the HAL does not take the component: error %d\n", component, id);
    return 1;
  }
  if (!make_pins(id)) {
    hal_exit(id);
    return 1;
  }
  hal_ready(id);
  run();
  disconnect();
  hal_exit(id);
  return 0;
}
