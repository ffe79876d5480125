// Ports survive the loss of every descriptor, and serve again as soon as there are some.

#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr rlim_t kDescriptors = 256;
constexpr size_t kCrowd = 400;
constexpr std::chrono::seconds kBack{1};

// Of a running process, for as long as this lives.
class LoweredLimit {
 public:
  explicit LoweredLimit(pid_t pid) : pid_(pid) {
    REQUIRE(prlimit(pid_, RLIMIT_NOFILE, nullptr, &before_) == 0);
    const rlimit lowered{kDescriptors, before_.rlim_max};
    REQUIRE(prlimit(pid_, RLIMIT_NOFILE, &lowered, nullptr) == 0);
  }
  ~LoweredLimit() { prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr); }
  LoweredLimit(const LoweredLimit&) = delete;

 private:
  const pid_t pid_;
  rlimit before_{};
};

// Connections that never say anything.
class Crowd {
 public:
  explicit Crowd(uint16_t port) {
    const sockaddr_in address{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    for (size_t i = 0; i < kCrowd; ++i) {
      sockets_.push_back({socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), POLLRDHUP, 0});
      REQUIRE(connect(sockets_.back().fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
  }
  ~Crowd() {
    for (const pollfd& socket : sockets_) close(socket.fd);
  }
  Crowd(const Crowd&) = delete;
  // The other side has closed so many. (Readable says nothing: gRPC greets whom it serves.)
  size_t Refused() {
    const int closed = poll(sockets_.data(), sockets_.size(), 0);
    return closed < 0 ? 0 : static_cast<size_t>(closed);
  }

 private:
  std::vector<pollfd> sockets_;
};

// Any answer at all; `options` for curl.
bool Answers(std::vector<std::string> options, uint16_t port, const std::string& scheme = "http") {
  options.insert(options.begin(), {"curl", "-sk", "--max-time", "5", "-o", "/dev/null"});
  options.push_back(scheme + "://127.0.0.1:" + std::to_string(port) + "/readyz");
  return Run(options).exit_code == 0;
}

size_t DescriptorsOf(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

template <typename Ask>
void CheckSurvives(pid_t pid, uint16_t port, Ask answers) {
  REQUIRE(answers());
  REQUIRE(Eventually([&] { return DescriptorsOf(pid) < kDescriptors / 2; }));  // the crowd before has gone
  LoweredLimit limit(pid);
  {
    Crowd crowd(port);
    CHECK(Eventually([&] { return crowd.Refused() >= kCrowd - kDescriptors; }));
    CHECK(crowd.Refused() < kCrowd);
  }
  CHECK(Eventually(answers, kBack));
}

TEST_CASE("the ports of a node serve again within a second of losing every descriptor") {
  Platform platform;
  const pid_t pid = platform.node().pid();
  CheckSurvives(pid, platform.http_port(), [&] { return Answers({}, platform.http_port()); });
  CheckSurvives(pid, platform.https_port(), [&] { return Answers({}, platform.https_port(), "https"); });
  CheckSurvives(pid, platform.ops_port(), [&] { return Answers({"-f"}, platform.ops_port()); });
}

TEST_CASE("the admin and the sync port serve again within a second of losing every descriptor") {
  Platform platform;
  const pid_t pid = platform.control_plane().pid();
  const std::vector<std::string> clear = {"--http2-prior-knowledge"};
  const std::string node = platform.state() + "/node-1/state/identity/node.pem";
  const std::vector<std::string> mutual = {"--cert", node, "--key", node};
  CheckSurvives(pid, platform.admin_port(), [&] { return Answers(clear, platform.admin_port()); });
  CheckSurvives(pid, platform.sync_port(), [&] { return Answers(mutual, platform.sync_port(), "https"); });
  platform.Ok({"gateway", "create", "shop", "--wait"});
}

}  // namespace
}  // namespace sluice::test
