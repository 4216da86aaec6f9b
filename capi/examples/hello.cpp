/* Two processes on one region, in C++17: the child sends samples of an angle, takes a lock, and is killed with it. The
 * parent receives every sample, and goes on with the value that was last committed under the lock. */
#include <strait.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

struct sample {
  std::uint64_t time_ns;
  double angle_rad;
};
/* The same type in Rust: `strait::message! { struct Sample { time_ns: u64, angle_rad: f64 } }`. */
STRAIT_MESSAGE(sample, time_ns, angle_rad);

constexpr strait::plan robot(strait::channel::slots<sample>("angles", 16).consumer_may_block(),
                             strait::channel::mutex<sample>("best"));
constexpr int count = 3;
constexpr auto patience = 10s;

[[noreturn]] static void child(const char *name) {
  auto region = strait::region::open(name).value();
  auto angles = region.typed_producer<sample>("angles").value();
  auto best = region.mutex<sample>("best").value();
  auto guard = best.lock_timeout(patience).or_roll_back().value();
  guard.set({1, 0.5}).or_throw();
  for (int i = 1; i <= count; i++) {
    const auto now = region.now().value().time_since_epoch().count();
    angles.send_timeout({static_cast<std::uint64_t>(now), 0.1 * i}, patience).or_throw();
  }
  for (;;) pause(); /* With the lock, until it is killed. */
}

int main() {
  /* Fork first, then open: a child takes no part in what its parent had open. */
  const auto name = "hello-cpp-" + std::to_string(getpid());
  int created[2];
  char byte = 0;
  if (pipe(created) != 0) return 1;
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    if (read(created[0], &byte, 1) != 1) _exit(1);
    child(name.c_str());
  }
  auto region = strait::region::create(name.c_str(), robot).value();
  if (write(created[1], &byte, 1) != 1) return 1;

  auto angles = region.typed_consumer<sample>("angles").value();
  for (int i = 0; i < count; i++) {
    const auto got = angles.recv_timeout(patience).value();
    std::printf("sample %u: %.1f rad\n", static_cast<unsigned>(got.sequence), got.value.angle_rad);
  }

  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  auto best = region.mutex<sample>("best").value();
  auto attempt = best.lock_timeout(patience);
  if (!attempt.owner_died()) {
    std::fprintf(stderr, "the lock of the killed child: %s\n", attempt.text());
    return 1;
  }
  const auto last = std::move(attempt).or_roll_back().value().get().value();
  std::printf("the child died with the lock; its last committed value is %.1f rad\n", last.angle_rad);
  strait::region::remove(name.c_str()).or_throw();
  return last.angle_rad == 0.5 ? 0 : 1;
}
