/* What the C programs here check each call with: they end with status 1, and the line, at the first that is not as
 * wanted. */
#ifndef STRAIT_TEST_CHECK_H
#define STRAIT_TEST_CHECK_H

#include "strait.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(call, wanted)                                                                               \
  do {                                                                                                    \
    strait_status got_ = (call);                                                                          \
    if (got_ != (wanted)) {                                                                               \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #call, strait_status_text(got_));                    \
      exit(1);                                                                                            \
    }                                                                                                     \
  } while (0)
#define OK(call) CHECK(call, STRAIT_STATUS_OK)
#define THAT(condition)                                                                                   \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                                     \
      exit(1);                                                                                            \
    }                                                                                                     \
  } while (0)

#endif
