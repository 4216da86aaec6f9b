/* Lanes, broadcasts and calls by the classes of strait.hpp, and a server that is killed: patterns REGION. */
#include "strait.hpp"

#include <csignal>
#include <cstring>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

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

constexpr strait::plan patterns(
    strait::channel::frames("log", 1024, 64).doorbell(1).consumer_may_block().producers(3, 1),
    strait::channel::slots<pair>("orders", 4).doorbell(1).consumer_may_block().producer_may_block().producers(2),
    strait::channel::broadcast<pair>("heard", 8).consumer_may_block(),
    strait::channel::calls<pair, std::uint64_t>("ask", 2).doorbell(1).consumer_may_block().producer_may_block());

static void lanes(const strait::region &region) {
  std::array<std::uint8_t, 64> buffer{};
  THAT(region.producer("log").code() == STRAIT_STATUS_KIND);
  auto motor = region.producer_in_lane("log").value();
  auto alarm = region.producer_in_lane("log", 0).value();
  THAT(motor.lane == 1 && alarm.lane == 0);
  THAT(region.producer_in_lane("log", 0).code() == STRAIT_STATUS_BUSY);
  THAT(region.producer_in_lane("log", 3).code() == STRAIT_STATUS_NOT_FOUND);
  auto log = region.lanes_consumer("log", {{false, 0}, 4}).value();
  THAT(region.lanes_consumer("log").code() == STRAIT_STATUS_BUSY);
  THAT(log.try_recv(buffer).code() == STRAIT_STATUS_EMPTY);
  THAT(log.recv_timeout(buffer, moment).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(motor.producer.try_send(7, "turns"sv) && alarm.producer.try_send(8, "hot"sv));
  auto first = log.recv_timeout(buffer, patience);
  THAT(first && first->lane == 0 && first->tag == 8 && first->payload.size() == 3 && log.last_lane() == 0);
  auto second = log.try_recv(buffer);
  THAT(second && second->lane == 1 && std::memcmp(second->payload.data(), "turns", 5) == 0);
  THAT(log.release() && log.lane(0)->lanes == 3 && log.lane(1)->peer == STRAIT_PEER_PRESENT);
  THAT(log.lane(2)->peer == STRAIT_PEER_ABSENT && !log.lane(3));

  auto one = region.typed_producer_in_lane<pair>("orders").value();
  auto other = region.typed_producer_in_lane<pair>("orders").value();
  THAT(region.typed_producer_in_lane<pair>("orders").code() == STRAIT_STATUS_BUSY);
  THAT(region.typed_producer_in_lane<std::uint32_t>("orders").code() == STRAIT_STATUS_TYPE);
  auto orders = region.typed_lanes_consumer<pair>("orders").value();
  THAT(orders.try_recv().code() == STRAIT_STATUS_EMPTY);
  std::thread sender([&other] {
    for (std::uint64_t n = 0; n < 100; n++) THAT(other.producer.send_timeout({n, ~n}, patience));
  });
  std::uint64_t sent = 0, from_one = 0, from_other = 0;
  while (from_one + from_other < 200) {
    if (sent < 100 && one.producer.try_send({sent, ~sent})) sent++;
    auto got = orders.recv_timeout(patience);
    THAT(got && got->value.inverse == ~got->value.number && orders.last_lane() == got->lane);
    auto &next = got->lane == one.lane ? from_one : from_other;
    THAT(got->value.number == next && got->sequence == next);
    next++;
  }
  sender.join();
  THAT(orders.release() && orders.lane(0)->lanes == 2);
}

static void waits(const strait::region &region) {
  auto log = region.lanes_consumer("log").value();
  auto orders = region.typed_lanes_consumer<pair>("orders").value();
  auto server = region.call_server<pair, std::uint64_t>("ask").value();
  auto client = region.call_client<pair, std::uint64_t>("ask").value();
  auto producer = region.typed_producer_in_lane<pair>("orders").value().producer;
  THAT(strait::wait_any_timeout(region, moment, log, orders, server).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(client.post({1, ~1ull}));
  THAT(*strait::wait_any_timeout(region, patience, log, orders, server) == 2);
  THAT(server.try_next());
  THAT(producer.try_send({2, ~2ull}));
  THAT(*strait::wait_any_timeout(region, patience, log, orders, server) == 1);
  THAT(orders.try_recv());
}

static void broadcasts(const strait::region &region) {
  auto writer = region.broadcast_writer<pair>("heard").value();
  auto quick = region.broadcast_reader<pair>("heard").value();
  auto slow = region.broadcast_reader<pair>("heard", strait::broadcast_start::oldest).value();
  THAT(region.broadcast_writer<pair>("heard").code() == STRAIT_STATUS_BUSY);
  THAT(region.broadcast_reader<std::uint32_t>("heard").code() == STRAIT_STATUS_TYPE);
  THAT(region.broadcast_reader<pair>("log").code() == STRAIT_STATUS_TYPE);
  THAT(quick.try_recv().code() == STRAIT_STATUS_EMPTY);
  THAT(strait::wait_any_timeout(region, moment, quick, slow).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(quick.recv_timeout(moment).code() == STRAIT_STATUS_TIMED_OUT);
  for (std::uint64_t n = 1; n <= 50; n++) {
    THAT(*writer.publish({n, ~n}, 3) == n);
    auto got = quick.recv_timeout(patience);
    THAT(got && got->value.number == n && got->number == n && got->tag == 3);
  }
  std::uint64_t received = 0, lost = 0;
  for (;;) {
    auto got = slow.try_recv();
    if (got.code() == STRAIT_STATUS_EMPTY) break;
    if (got.code() == STRAIT_STATUS_LAGGED) {
      lost += slow.lost();
    } else {
      THAT(got && got->value.number == received + lost + 1);
      received++;
    }
  }
  THAT(received > 0 && lost >= 42 && received + lost == 50);
  THAT(slow.set_start(strait::broadcast_start::newest));
}

static void calls(const strait::region &region) {
  auto client = region.call_client<pair, std::uint64_t>("ask").value();
  auto server = region.call_server<pair, std::uint64_t>("ask").value();
  THAT((region.call_client<pair, std::uint64_t>("ask").code() == STRAIT_STATUS_BUSY));
  THAT((region.call_server<pair, pair>("ask").code() == STRAIT_STATUS_TYPE));
  THAT(server.try_next().code() == STRAIT_STATUS_EMPTY && server.answer(1).code() == STRAIT_STATUS_WRONG_STATE);
  const auto first = client.try_call({1, 2}).value();
  const auto second = client.try_call({3, 4}).value();
  THAT(client.try_call({5, 6}).code() == STRAIT_STATUS_FULL);
  THAT(client.poll(first).code() == STRAIT_STATUS_EMPTY);
  auto request = server.next_timeout(patience);
  THAT(request && request->request.number == 1 && !request->is_post && !request->is_again);
  THAT(request->caller == region.ident() && server.answer(10));
  THAT(server.try_next()->request.number == 3 && server.refuse(9));
  THAT(*client.wait_timeout(first, patience) == 10);
  THAT(client.poll(second).code() == STRAIT_STATUS_REFUSED && client.refusal() == 9);
  THAT(client.poll(second).code() == STRAIT_STATUS_UNKNOWN_TICKET);

  std::uint32_t out = 0;
  THAT(client.call_timeout({7, 8}, moment, out).code() == STRAIT_STATUS_TIMED_OUT);
  THAT(client.wait_timeout(out, moment).code() == STRAIT_STATUS_TIMED_OUT && !*client.cancel(out));
  THAT(client.post({9, 0}));
  auto posted = server.next_timeout(patience);
  THAT(posted && posted->is_post && posted->request.number == 9 && server.answer(0));
  THAT(server.next_timeout(moment).code() == STRAIT_STATUS_TIMED_OUT);

  std::thread serving([&server] {
    auto asked = server.next_timeout(patience);
    THAT(asked && server.answer(asked->request.number * 2));
  });
  THAT(*client.call_timeout({21, 0}, patience, out) == 42);
  serving.join();
}

/* A server that is killed with a request: its client learns that it may have run. */
static void deaths(const char *place) {
  auto region = strait::region::open(place).value();
  auto client = region.call_client<pair, std::uint64_t>("ask").value();
  const pid_t child = fork();
  THAT(child >= 0);
  if (child == 0) {
    auto theirs = strait::region::open(place).value();
    auto server = theirs.call_server<pair, std::uint64_t>("ask").value();
    auto log = theirs.producer_in_lane("log", 0).value();
    THAT(server.next_timeout(patience) && log.producer.try_send(1, "taken"sv));
    for (;;) pause();
  }
  const auto ticket = client.try_call({1, 1}).value();
  auto log = region.lanes_consumer("log").value();
  std::array<std::uint8_t, 64> buffer{};
  THAT(log.recv_timeout(buffer, patience)->payload.size() == 5);
  kill(child, SIGKILL);
  THAT(waitpid(child, nullptr, 0) == child);
  THAT(client.wait_timeout(ticket, patience).code() == STRAIT_STATUS_MAY_HAVE_RUN);
  THAT(log.lane(0)->peer == STRAIT_PEER_DEAD && region.producer_in_lane("log", 0));
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  {
    auto region = strait::region::create(argv[1], patterns).value();
    lanes(region);
    waits(region);
    broadcasts(region);
    calls(region);
  }
  deaths(argv[1]);
  THAT(strait::region::remove(argv[1]));
  std::puts("patterns: done");
}
