/* Describes messages by the header's macros: what strait_message_hash and strait_describe say of them goes to the output,
 * where tests/messages.rs compares it with what Rust says. Then a region that lists them is made and read. */
#include "check.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  float x, y;
} point;
static const strait_field_t point_fields[] = {
    STRAIT_FIELD_ABOUT(point, f32, x, "m", NULL),
    STRAIT_FIELD(point, f32, y),
};
static const strait_message_t point_message = STRAIT_MESSAGE("Point", point, point_fields);

typedef struct {
  uint64_t time_ns;
  int64_t offset;
  double torque;
  uint32_t state;
  int32_t error;
  point path[3];
  point target;
  uint16_t code;
  int16_t temperature;
  uint8_t flags[3];
  int8_t mode;
} drive;
static const strait_named_value_t states[] = {{"idle", 0}, {"moving", 1}, {"lost", -2}};
static const strait_field_t drive_fields[] = {
    STRAIT_FIELD(drive, u64, time_ns),
    STRAIT_FIELD(drive, i64, offset),
    STRAIT_FIELD_ABOUT(drive, f64, torque, "Nm", "At the shaft."),
    STRAIT_FIELD_NAMED(drive, u32, state, states, "What it\ndoes."),
    STRAIT_FIELD(drive, i32, error),
    STRAIT_NESTED_ARRAY(drive, point, path, 3, point_message),
    STRAIT_NESTED(drive, point, target, point_message),
    STRAIT_FIELD(drive, u16, code),
    STRAIT_FIELD(drive, i16, temperature),
    STRAIT_ARRAY_ABOUT(drive, u8, flags, 3, NULL, "Of the three axes."),
    STRAIT_FIELD(drive, i8, mode),
};
static const strait_message_t drive_message = STRAIT_MESSAGE("Drive", drive, drive_fields);

static uint64_t memory[2048];

static void mistakes(void) {
  strait_field_t fields[2] = {
      STRAIT_FIELD(point, f32, x),
      STRAIT_FIELD(point, f32, y),
  };
  strait_message_t wrong = STRAIT_MESSAGE("Wrong", point, fields);
  const strait_message_t *listed = &wrong;
  char text[100];
  size_t len = 0;
  THAT(strait_message_hash(&wrong) == strait_message_hash(&point_message));
  OK(strait_describe(&listed, 1, text, sizeof text, &len));
  THAT(len == strlen(text));
  CHECK(strait_describe(&listed, 1, text, len, &len), STRAIT_STATUS_TOO_SMALL);
  CHECK(strait_describe(&listed, 1, NULL, 0, &len), STRAIT_STATUS_TOO_SMALL);
  OK(strait_describe(&listed, 1, text, len + 1, NULL));
  CHECK(strait_describe(NULL, 1, text, sizeof text, &len), STRAIT_STATUS_BAD_ARGUMENT);
  THAT(strait_message_hash(NULL) == 0);
  /* A gap, a field too large, another scalar's size, no name, no fields, and a message in itself. */
  fields[1].offset = 8;
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].offset = 4;
  fields[1].size = 8;
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].size = 4;
  fields[1].scalar = STRAIT_SCALAR_F64;
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].scalar = 0;
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].nested = &wrong;
  THAT(strait_message_hash(&wrong) == 0);
  CHECK(strait_describe(&listed, 1, text, sizeof text, &len), STRAIT_STATUS_BAD_ARGUMENT);
  fields[1].nested = NULL;
  fields[1].scalar = STRAIT_SCALAR_F32;
  fields[1].name = "a b";
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].name = NULL;
  THAT(strait_message_hash(&wrong) == 0);
  fields[1].name = "y";
  wrong.size = 12;
  THAT(strait_message_hash(&wrong) == 0);
  wrong.size = 8;
  THAT(strait_message_hash(&wrong) != 0);
  wrong.field_count = 0;
  THAT(strait_message_hash(&wrong) == 0);
}

int main(void) {
  const strait_message_t *const both[] = {&drive_message, &point_message};
  strait_channel_t channel;
  strait_plan_t plan;
  strait_region_t region = {0};
  char text[2000], read[2000];
  size_t len = 0;
  printf("%llx %llx\n", (unsigned long long)strait_message_hash(&drive_message),
         (unsigned long long)strait_message_hash(&point_message));
  OK(strait_describe(both, 2, text, sizeof text, &len));
  printf("%s", text);
  mistakes();

  memset(&channel, 0, sizeof channel);
  memset(&plan, 0, sizeof plan);
  channel.name = "drive";
  channel.kind = STRAIT_KIND_LATEST;
  channel.size = sizeof(drive);
  channel.type_hash = strait_message_hash(&drive_message);
  plan.channels = &channel;
  plan.channel_count = 1;
  plan.line = 4;
  plan.participants = 2;
  OK(strait_format(memory, sizeof memory, &plan, 1, true));
  OK(strait_attach(&region, memory, sizeof memory, NULL));
  CHECK(strait_description(&region, NULL, 0, &len), STRAIT_STATUS_TOO_SMALL);
  THAT(len == 0);
  OK(strait_description(&region, read, 1, &len));
  THAT(len == 0 && read[0] == 0);
  OK(strait_region_close(&region));

  plan.description = text;
  memset(memory, 0, sizeof memory);
  OK(strait_format(memory, sizeof memory, &plan, 2, true));
  OK(strait_attach(&region, memory, sizeof memory, NULL));
  CHECK(strait_description(&region, read, 10, &len), STRAIT_STATUS_TOO_SMALL);
  THAT(len == strlen(text));
  CHECK(strait_description(&region, read, len, &len), STRAIT_STATUS_TOO_SMALL);
  OK(strait_description(&region, read, len + 1, &len));
  THAT(strcmp(read, text) == 0);
  CHECK(strait_description(NULL, read, sizeof read, &len), STRAIT_STATUS_BAD_ARGUMENT);
  OK(strait_region_close(&region));

  plan.description = "=Bad\xff {x:u8@0;size=1}\n";
  CHECK(strait_format(memory, sizeof memory, &plan, 3, false), STRAIT_STATUS_BAD_PLAN);
  return 0;
}
