/* One side of a death, over strait.hpp; the other is a Rust program: heir REGION hold|take.
 *
 * The holder sends three values, commits the last of them under the lock, and waits to be killed with the lock and the
 * producer's role. The heir receives the values, and finds the owner dead and the value whole. */
#include "strait.hpp"

#include <cstring>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;

namespace rust {
/* strait::message! { struct Entry { number: u64, weights: [f32; 2], state: State } struct State { code: i32, flags: [u8; 4] } } */
struct state {
  std::int32_t code;
  std::array<std::uint8_t, 4> flags;
};
STRAIT_MESSAGE(state, code, flags);

struct entry {
  std::uint64_t number;
  float weights[2];
  rust::state state;
};
STRAIT_MESSAGE(entry, number, weights, state);
}  // namespace rust

constexpr std::uint64_t count = 3;
constexpr auto patience = 30s;

static rust::entry made(std::uint64_t number) {
  return {number, {0.5f, -1.5f}, {-static_cast<std::int32_t>(number), {{1, 2, 3, 4}}}};
}

static bool same(const rust::entry &a, const rust::entry &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/* A role of one who was killed is free once the kernel has proof of it: until then, ask again. */
template <class Claim>
static auto claimed(Claim claim) {
  for (;;) {
    auto role = claim();
    if (role || role.code() != STRAIT_STATUS_BUSY) return std::move(role).value();
    std::this_thread::sleep_for(1ms);
  }
}

static int hold(const strait::region &region) {
  auto tx = claimed([&] { return region.typed_producer<rust::entry>("entries"); });
  auto mutex = region.mutex<rust::entry>("last").value();
  auto guard = mutex.lock_timeout(patience).or_give_up().value();
  for (std::uint64_t number = 1; number <= count; number++) {
    tx.send_timeout(made(number), patience).or_throw();
    guard.set(made(number)).or_throw();
  }
  std::puts(">ready");
  std::fflush(stdout);
  for (;;) pause();
}

static int take(const strait::region &region) {
  auto rx = claimed([&] { return region.typed_consumer<rust::entry>("entries"); });
  for (std::uint64_t number = 1; number <= count; number++) {
    if (!same(rx.recv_timeout(patience)->value, made(number))) return 3;
  }
  auto tx = claimed([&] { return region.typed_producer<rust::entry>("entries"); });
  if (tx.end()->taken_over_from == 0) return 4;
  auto mutex = region.mutex<rust::entry>("last").value();
  auto attempt = mutex.lock_timeout(patience);
  if (!attempt.owner_died()) return 5;
  return same(*std::move(attempt).or_roll_back()->get(), made(count)) ? 0 : 6;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  auto region = strait::region::open(argv[1]).value();
  return !std::strcmp(argv[2], "hold") ? hold(region) : take(region);
}
