/* Coroutines that wait for queues, a latest value and requests on one thread: coroutines REGION. */
#include "strait.hpp"

#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using namespace std::string_view_literals;

#define THAT(condition)                                                     \
  do {                                                                      \
    if (!(condition)) {                                                     \
      std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition);          \
      std::exit(1);                                                         \
    }                                                                       \
  } while (0)

struct pair {
  std::uint64_t number, inverse;
};
STRAIT_MESSAGE(pair, number, inverse);

constexpr auto patience = 20s;
constexpr auto moment = 2ms;
constexpr std::uint64_t count = 1000;

constexpr strait::plan channels(
    strait::channel::frames("log", 1024, 64).doorbell(1).consumer_may_block().producer_may_block(),
    strait::channel::slots<pair>("orders", 4).doorbell(1).consumer_may_block().producer_may_block(),
    strait::channel::latest<std::uint64_t>("newest").consumer_may_block(),
    strait::channel::calls<pair, std::uint64_t>("ask", 2).doorbell(1).consumer_may_block().producer_may_block());

static strait::task orders(strait::loop &loop, strait::typed_consumer<pair> &queue, std::uint64_t &sum) {
  for (std::uint64_t number = 0; number < count; ++number) {
    auto got = co_await loop.recv(queue);
    THAT(got && got->value.number == number && got->value.inverse == ~number);
    sum += got->value.number;
  }
}

static strait::task log(strait::loop &loop, strait::consumer &queue, std::uint64_t &bytes) {
  std::array<std::uint8_t, 64> buffer{};
  for (;;) {
    auto got = co_await loop.recv(queue, strait::mutable_bytes(buffer));
    THAT(got);
    if (got->payload.size() == 0) co_return;
    bytes += got->payload.size();
  }
}

static strait::task requests(strait::loop &loop, strait::call_server<pair, std::uint64_t> &server) {
  for (int calls = 0; calls < 3; ++calls) {
    auto request = co_await loop.recv(server);
    THAT(request && server.answer(request->request.number * 2));
  }
}

/* Counts as one that was ended if the coroutine is destroyed where it waits. */
struct ended {
  int &count;
  ~ended() { ++count; }
};
static strait::task for_ever(strait::loop &loop, strait::consumer &queue, int &count) {
  ended at_last{count};
  co_await loop.ready(queue);
  co_await loop.ready(queue);
}

/* Of two that wait for one receiver, each gets a message. */
static strait::task one_of_two(strait::loop &loop, strait::consumer &queue, int &count) {
  std::array<std::uint8_t, 64> buffer{};
  while (co_await loop.recv(queue, strait::mutable_bytes(buffer))) {
    ++count;
    co_return;
  }
}

#ifdef STRAIT_EXCEPTIONS
static strait::task throws(strait::loop &loop, strait::consumer &queue) {
  co_await loop.ready(queue);
  throw strait::error(STRAIT_STATUS_REFUSED);
}
#endif

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  auto region = strait::region::create(argv[1], channels).value();
  auto queue = region.typed_consumer<pair>("orders").value();
  auto frames = region.consumer("log").value();
  auto server = region.call_server<pair, std::uint64_t>("ask").value();

  std::uint64_t sum = 0, bytes = 0;
  {
    strait::loop loop(region);
    THAT(loop.run_for(moment));
    loop.start(orders(loop, queue, sum));
    loop.start(log(loop, frames, bytes));
    loop.start(requests(loop, server));
    THAT(loop.run_for(moment).code() == STRAIT_STATUS_TIMED_OUT);
    std::thread sends([argv] {
      auto theirs = strait::region::open(argv[1]).value();
      auto tx = theirs.typed_producer<pair>("orders").value();
      auto log = theirs.producer("log").value();
      auto client = theirs.call_client<pair, std::uint64_t>("ask").value();
      std::uint32_t out = 0;
      for (std::uint64_t number = 0; number < count; ++number) {
        THAT(tx.send_timeout({number, ~number}, patience) && log.send_timeout(1, "turns"sv, patience));
        if (number % 400 == 0) THAT(*client.call_timeout({number, 0}, patience, out) == number * 2);
      }
      THAT(log.send_timeout(2, ""sv, patience));
    });
    THAT(loop.run_for(patience));
    sends.join();
    THAT(sum == count * (count - 1) / 2 && bytes == 5 * count);
  }
  int destroyed = 0;
  auto log_producer = region.producer("log").value();
  {
    strait::loop loop(region);
    { strait::task never = for_ever(loop, frames, destroyed); }
    loop.start(for_ever(loop, frames, destroyed));
    THAT(loop.run_for(moment).code() == STRAIT_STATUS_TIMED_OUT && destroyed == 0);
  }
  THAT(destroyed == 1);
  int counts[2] = {0, 0};
  {
    strait::loop loop(region);
    for (int &count : counts) loop.start(one_of_two(loop, frames, count));
    auto moved = one_of_two(loop, frames, counts[0]);
    { strait::task elsewhere = std::move(moved); }
    loop.start(std::move(moved));
    THAT(loop.run_for(moment).code() == STRAIT_STATUS_TIMED_OUT);
    THAT(log_producer.try_send(1, "x"sv) && log_producer.try_send(1, "y"sv));
    THAT(loop.run_for(patience));
  }
  THAT(counts[0] == 1 && counts[1] == 1);
#ifdef STRAIT_EXCEPTIONS
  {
    strait::loop loop(region);
    loop.start(throws(loop, frames));
    THAT(log_producer.send_timeout(1, "x"sv, patience));
    try {
      (void)loop.run_for(patience);
      THAT(false);
    } catch (const strait::error &error) {
      THAT(error.code() == STRAIT_STATUS_REFUSED);
    }
    THAT(loop.run_for(moment));
  }
#endif
  THAT(strait::region::remove(argv[1]));
  std::puts("coroutines: done");
}
