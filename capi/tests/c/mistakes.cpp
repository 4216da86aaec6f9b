/* Messages that strait.hpp does not accept: one for each macro, and none without. */
#include "strait.hpp"

struct whole {
  std::uint32_t a, b;
  double c;
};
struct padded {
  std::uint32_t a;
  double b;
};
struct flagged {
  bool on;
};
struct linked {
  const whole *next;
};
struct virtual_one {
  virtual ~virtual_one() = default;
  std::uint32_t a;
};

#if defined(MISSING)
STRAIT_MESSAGE(whole, a, b);
#elif defined(ORDER)
STRAIT_MESSAGE(whole, b, a, c);
#else
STRAIT_MESSAGE(whole, a, b, c);
#endif
#if defined(PADDED)
STRAIT_MESSAGE(padded, a, b);
using tried = padded;
#elif defined(FLAG)
STRAIT_MESSAGE(flagged, on);
using tried = flagged;
#elif defined(POINTER)
STRAIT_MESSAGE(linked, next);
using tried = linked;
#elif defined(VIRTUAL)
STRAIT_MESSAGE(virtual_one, a);
using tried = whole;
#else
using tried = whole;
#endif

static_assert(strait::type_hash<tried> != 0);
