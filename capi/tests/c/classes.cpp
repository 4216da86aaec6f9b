/* Every class of strait.hpp, in one process and with children that are killed: classes REGION. */
#include "strait.hpp"

#include <csignal>
#include <cstring>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_view_literals;

#define THAT(condition)                                                     \
  do {                                                                      \
    if (!(condition)) {                                                     \
      std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition);          \
      std::exit(1);                                                         \
    }                                                                       \
  } while (0)

namespace robot {
struct vector3 {
  float x, y, z;
};
STRAIT_MESSAGE(vector3, x, y, z);

struct pose {
  std::uint64_t time_ns;
  vector3 at;
  std::int16_t joints[2][2];
  std::array<std::uint8_t, 4> flags;
};
STRAIT_MESSAGE(pose, time_ns, at, joints, flags);

struct pair {
  std::uint64_t number, inverse;
};
STRAIT_MESSAGE(pair, number, inverse);
}  // namespace robot
using robot::pair;
using robot::pose;

constexpr auto patience = 20s;
constexpr auto moment = 2ms;

constexpr strait::plan robot_plan(strait::channel::frames("log", 4096, 256).consumer_may_block().doorbell(1),
                                  strait::channel::slots<pose>("poses", 8).consumer_may_block().doorbell(1),
                                  strait::channel::compact<std::uint32_t>("codes", 4),
                                  strait::channel::latest<pose>("pose").consumer_may_block(),
                                  strait::channel::mutex<pair>("pair"), strait::channel::semaphore("ticks", 1, 3),
                                  strait::channel::permits("cranes", 1));

static void types() {
  const auto text = strait::descriptor<pose>();
  THAT(text == "{time_ns:u64@0;at:{x:f32@0;y:f32@4;z:f32@8;size=12}@8;joints:[2][2]i16@20;flags:[4]u8@28;size=32}");
  THAT(strait::type_hash<pose> == strait_type_hash(text.c_str()));
  THAT(strait::type_hash<std::uint32_t> == strait_type_hash("u32"));
  THAT(strait::type_hash<double> == strait_type_hash("f64"));
  static_assert(strait::type_hash<pair> != strait::type_hash<pose>);
  THAT((strait::description<pose, pair>() == "=pose " + text + "\n=pair {number:u64@0;inverse:u64@8;size=16}\n"));
}

static void views() {
  const std::vector<std::uint16_t> numbers{1, 2, 3};
  THAT(strait::bytes(numbers).size() == 6);
  THAT(strait::bytes("four"sv).size() == 4);
  int array[3] = {1, 2, 3};
  int sum = 0;
  for (const int number : strait::view<const int>(array)) sum += number;
  THAT(sum == 6);
#if __cplusplus >= 202002L
  const std::span<const std::uint8_t> span = strait::bytes("four"sv);
  THAT(span.size() == 4 && span[0] == 'f' && strait::bytes(span).size() == 4);
#endif
}

static void frames(const strait::region &region) {
  auto tx = region.producer("log").value();
  auto rx = region.consumer("log", {false, 4}).value();
  std::array<std::uint8_t, 256> buffer{};
  THAT(region.producer("log").code() == STRAIT_STATUS_BUSY);
  THAT(region.producer("absent").code() == STRAIT_STATUS_NOT_FOUND);
  THAT(region.producer("poses").code() == STRAIT_STATUS_KIND);
  THAT(rx.try_recv(buffer).code() == STRAIT_STATUS_EMPTY);
  THAT(rx.recv_timeout(buffer, moment).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(tx.try_send(7, "hello"sv));
  THAT(tx.send_timeout(8, std::vector<std::uint32_t>(3, 5), patience));
  std::uint8_t small[2];
  THAT(rx.try_recv(small).code() == STRAIT_STATUS_TOO_SMALL);
  THAT(rx.peek()->len == 5 && *rx.peek_at(3, small) == 2 && small[0] == 'l' && small[1] == 'o');
  auto got = rx.try_recv(buffer);
  THAT(got && got->tag == 7 && got->sequence == 0 && got->payload.size() == 5);
  THAT(std::memcmp(got->payload.data(), "hello", 5) == 0);
  THAT(rx.skip());
  const strait_frame_t batch[] = {{"a", 1, 1}, {nullptr, 0, 2}};
  THAT(*tx.try_send_batch(batch) == 2 && *tx.next_sequence() == 4);
  THAT(rx.recv_until(buffer, *region.now() + patience)->tag == 1);
  THAT(rx.recv_timeout(buffer, patience)->payload.empty());
  THAT(tx.try_send(0, std::vector<char>(300)).code() == STRAIT_STATUS_TOO_LARGE);
  THAT(rx.release() && rx.flush() && rx.end()->peer == STRAIT_PEER_PRESENT && tx.end()->max_len == 256);
  /* A handle that is moved leaves an empty one, and what it replaces is closed. */
  auto moved = std::move(tx);
  THAT(tx.try_send(0, {}).code() == STRAIT_STATUS_BAD_ARGUMENT);
  THAT(moved.try_send(1, {}));
  THAT(rx.recv_timeout(buffer, -1ns));
}

static void values(const strait::region &region) {
  auto tx = region.typed_producer<pose>("poses").value();
  auto rx = region.typed_consumer<pose>("poses").value();
  THAT(region.typed_consumer<pair>("poses").code() == STRAIT_STATUS_TYPE);
  THAT(tx.try_send({5, {1, 2, 3}, {{4, 5}, {6, 7}}, {{8}}}));
  auto got = rx.recv_timeout(patience);
  THAT(got && got->sequence == 0 && got->value.time_ns == 5 && got->value.joints[1][1] == 7);
  THAT(rx.try_recv().code() == STRAIT_STATUS_EMPTY);
  THAT(rx.recv_until(*region.now() + moment).code() == STRAIT_STATUS_TIMED_OUT);
  const std::vector<pose> many(12);
  std::array<pose, 12> back{};
  const auto sent = *tx.try_send_batch(many);
  THAT(sent == 8 && tx.send_timeout(many[0], moment).code() != STRAIT_STATUS_OK);
  THAT(*rx.recv_batch(back) == sent && rx.release() && rx.flush() && tx.end()->capacity == 8);

  auto log = region.consumer("log").value();
  THAT(strait::wait_any_timeout(region, moment, log, rx).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(tx.send_until(many[0], *region.now()));
  THAT(*strait::wait_any_until(region, *region.now() + patience, log, rx) == 1);
  THAT(rx.try_recv());

  auto codes = region.typed_producer<std::uint32_t>("codes").value();
  THAT(codes.try_send(9) && region.typed_consumer<std::uint32_t>("codes").value().try_recv()->value == 9);
}

static void latest(const strait::region &region) {
  auto writer = region.latest_writer<pose>("pose").value();
  auto reader = region.latest_reader<pose>("pose").value();
  THAT(region.latest_reader<pair>("pose").code() == STRAIT_STATUS_TYPE);
  THAT(region.latest_reader<pair>("nowhere").code() == STRAIT_STATUS_NOT_FOUND);
  THAT(region.latest_reader<pair>("longer than any name of a channel can be").code() == STRAIT_STATUS_NOT_FOUND);
  THAT(region.latest_reader<pair>(nullptr).code() == STRAIT_STATUS_BAD_ARGUMENT);
  THAT(region.producer(nullptr).code() == STRAIT_STATUS_BAD_ARGUMENT);
  THAT(reader.read().code() == STRAIT_STATUS_EMPTY);
  THAT(*writer.publish({1, {}, {}, {}}, 3) == 1);
  auto first = reader.read();
  THAT(first && first->is_new && first->value.time_ns == 1 && first->number == 1 && first->tag == 3);
  THAT(!reader.read()->is_new && !reader.wait_for_change(moment)->is_new);
  THAT(!reader.wait_until(*region.now() + moment)->is_new);
}

static void locks(const strait::region &region) {
  auto mutex = region.mutex<pair>("pair").value();
  {
    auto guard = mutex.lock_timeout(patience).or_roll_back().value();
    THAT(guard.set({1, ~std::uint64_t{1}}));
    THAT(guard.update([](pair &value) { value.number++, value.inverse = ~value.number; }));
    THAT(guard.get()->number == 2 && *guard.takeovers() == 0);
    THAT(mutex.try_lock().code() == STRAIT_STATUS_WRONG_STATE);
    THAT(std::move(guard).unlock());
  }
  THAT(mutex.lock_until(*region.now() + patience).or_give_up());
  auto ticks = region.semaphore("ticks").value();
  THAT(ticks.try_acquire() && ticks.try_acquire() == strait::status(STRAIT_STATUS_EMPTY));
  THAT(ticks.acquire_timeout(moment).code() == STRAIT_STATUS_TIMED_OUT && ticks.release(2));
  THAT(ticks.acquire_until(*region.now()) && *ticks.count() == 1);
  THAT(ticks.release(9).code() == STRAIT_STATUS_OVERFLOW);
  auto cranes = region.permits("cranes").value();
  auto others = region.permits("cranes").value();
  {
    auto crane = cranes.try_acquire().value();
    THAT(crane.index() == 0 && crane.taken_over_from() == 0);
    THAT(others.acquire_timeout(moment).code() == STRAIT_STATUS_TIMED_OUT);
  }
  THAT(std::move(others.acquire_until(*region.now() + patience).value()).release());
}

/* Runs `act` in a child, which is killed once it has said by the semaphore that it is done. */
template <class Act>
static void in_a_killed_process(const char *place, Act act) {
  const pid_t child = fork();
  THAT(child >= 0);
  if (child == 0) {
    auto region = strait::region::open(place).value();
    act(region);
    for (;;) pause();
  }
  auto ticks = strait::region::open(place).value().semaphore("ticks").value();
  THAT(ticks.acquire_timeout(patience));
  kill(child, SIGKILL);
  THAT(waitpid(child, nullptr, 0) == child);
}

static void deaths(const char *place) {
  THAT(strait::region::open(place).value().semaphore("ticks").value().try_acquire());
  const auto with_the_lock = [](strait::region &region) {
    auto mutex = region.mutex<pair>("pair").value();
    auto guard = mutex.try_lock().or_give_up().value();
    THAT(guard.set({10, ~std::uint64_t{10}}));
    THAT(region.semaphore("ticks").value().release());
    for (;;) pause();
  };
  in_a_killed_process(place, with_the_lock);
  auto region = strait::region::open(place).value();
  auto mutex = region.mutex<pair>("pair").value();
  {
    auto attempt = mutex.lock_timeout(patience);
    THAT(attempt.owner_died());
    auto guard = std::move(attempt).or_roll_back().value();
    THAT(guard.get()->number == 10 && *guard.takeovers() == 1);
  }
  in_a_killed_process(place, with_the_lock);
  THAT(mutex.lock_timeout(patience).or_repair([](pair &left) { left.number = 11; })->get()->number == 11);
  in_a_killed_process(place, with_the_lock);
  THAT(mutex.lock_timeout(patience).or_give_up().code() == STRAIT_STATUS_OWNER_DIED);
  THAT(mutex.try_lock().or_roll_back().code() == STRAIT_STATUS_POISONED);
  THAT(mutex.reinitialise({1, 0})->get()->number == 1);
  THAT(mutex.try_lock().or_give_up().value().give_up());
  THAT(mutex.try_lock().or_roll_back().code() == STRAIT_STATUS_POISONED);
  THAT(mutex.reinitialise({12, 0})->get()->number == 12);

  in_a_killed_process(place, [](strait::region &there) {
    auto tx = there.producer("log").value();
    auto cranes = there.permits("cranes").value();
    auto crane = cranes.try_acquire().value();
    THAT(tx.try_send(4, "committed"sv));
    THAT(there.semaphore("ticks").value().release());
    for (;;) pause();
  });
  auto cranes = region.permits("cranes").value();
  THAT(cranes.acquire_timeout(patience)->taken_over_from() != 0);
  auto tx = region.producer("log").value();
  THAT(tx.end()->taken_over_from != 0);
  std::array<char, 32> buffer{};
  THAT(region.consumer("log").value().recv_timeout(buffer, patience)->payload.size() == 9);
  THAT(region.state("log")->producer_takeovers == 1);
}

static void regions(const char *place) {
  THAT(strait::region::create(place, robot_plan).code() == STRAIT_STATUS_ALREADY_EXISTS);
  THAT(strait::region::open_or_create(place, robot_plan));
  THAT(strait::region::open("no-such-region").code() == STRAIT_STATUS_NOT_FOUND);
  /* An endpoint keeps its region open, and a replaced one is closed before its region is. */
  std::optional<strait::region> region = strait::region::open(place).value();
  auto reader = region->latest_reader<pose>("pose").value();
  const auto ident = region->ident();
  THAT(*region->is_current() && !*region->forked() && ident != 0);
  region.reset();
  THAT(reader.read());
  reader = strait::region::open(place).value().latest_reader<pose>("pose").value();
  THAT(reader.read());

  alignas(128) static std::uint8_t memory[32768];
  const auto own_plan = robot_plan.line(8).participants(2);
  const strait_plan_t raw = own_plan.raw();
  const auto size = *own_plan.size();
  THAT(size <= sizeof memory && strait_format(memory, size, &raw, 1, true) == STRAIT_STATUS_OK);
  auto own = strait::region::attach(memory, size).value();
  THAT(own.sync().code() == STRAIT_STATUS_WRONG_STATE && own.producer("log"));
  THAT(own.now().code() == STRAIT_STATUS_SYSTEM);

  const auto text = strait::description<pose, pair>();
  const auto telling_plan = own_plan.described(text.c_str());
  const strait_plan_t told = telling_plan.raw();
  alignas(128) static std::uint8_t telling[32768];
  THAT(strait_format(telling, sizeof telling, &told, 2, true) == STRAIT_STATUS_OK);
  const auto tells = strait::region::attach(telling, sizeof telling).value();
  char read[512];
  std::size_t length = 0;
  THAT(strait_description(tells.raw(), read, sizeof read, &length) == STRAIT_STATUS_OK);
  THAT(std::string(read, length) == text);

  strait_channel_t described{};
  described.name = "log";
  described.kind = STRAIT_KIND_FRAMES;
  described.capacity = 256;
  described.size = 32;
  THAT(*strait::plan(strait::channel::of(described)).size() ==
       *strait::plan(strait::channel::frames("log", 256, 32)).size());

#ifdef __linux__
  int ends[2];
  THAT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  auto sealed = strait::region::create_sealed(robot_plan).value();
  THAT(sealed.share_sealed(ends[0]));
  auto theirs = strait::region::receive_sealed(ends[1]).value();
  THAT(sealed.producer("log").value().try_send(1, {}));
  std::uint8_t byte[1];
  THAT(theirs.consumer("log").value().recv_timeout(byte, patience));
  close(ends[0]);
  close(ends[1]);
#endif
}

/* Each thread locks through a region of its own. */
static void threads(const char *place) {
  const auto count = [place] {
    auto mutex = strait::region::open(place).value().mutex<pair>("pair").value();
    for (int i = 0; i < 200; i++) {
      THAT(mutex.lock_timeout(patience).or_give_up()->update([](pair &value) { value.number++; }));
    }
  };
  std::thread one(count), two(count);
  one.join();
  two.join();
  auto mutex = strait::region::open(place).value().mutex<pair>("pair").value();
  THAT(mutex.try_lock().or_give_up()->get()->number == 12 + 400);
}

#ifdef STRAIT_EXCEPTIONS
static void thrown() {
  try {
    (void)strait::region::open("no-such-region").value();
    THAT(false);
  } catch (const strait::error &error) {
    THAT(error.code() == STRAIT_STATUS_NOT_FOUND && std::strlen(error.what()) > 0);
  }
}
#endif

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  types();
  views();
  {
    auto region = strait::region::create(argv[1], robot_plan).value();
    frames(region);
    values(region);
    latest(region);
    locks(region);
  }
  deaths(argv[1]);
  regions(argv[1]);
  threads(argv[1]);
#ifdef STRAIT_EXCEPTIONS
  thrown();
#endif
  THAT(strait::region::remove(argv[1]));
  std::puts("classes: done");
}
