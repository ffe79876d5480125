// One limit, held by several nodes together: at most so many requests in any second, wherever they arrive, and nearly
// as many as that. What clients can prove: requests that were sent and answered within one second were admitted in it.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLimit = 100;  // of the plan
constexpr int kNodes = 3;

struct Exchange {
  Clock::time_point sent, answered;
};

// A connection that may fail without failing the test, on any thread. Answers have a length.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    const timeval patience{2, 0};
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  // The status; 0: the connection is of no more use.
  int Get(const std::string& host) {
    const std::string request = "GET /anything HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    if (!open_ || send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return 0;
    std::string answer;
    size_t whole = std::string::npos;
    while (answer.size() < whole) {
      char chunk[4096];
      const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
      if (got <= 0) return 0;
      answer.append(chunk, static_cast<size_t>(got));
      const size_t head = answer.find("\r\n\r\n"), length = answer.find("Content-Length: ");
      if (head != std::string::npos && length < head) whole = head + 4 + std::stoul(answer.substr(length + 16));
    }
    return std::stoi(answer.substr(9, 3));
  }

 private:
  const int fd_;
  bool open_;
};

// Requests to every node at rates that may change, each on a connection of its own.
class Load {
 public:
  Load(Platform& platform, std::string host) : platform_(platform), host_(std::move(host)) {
    for (int node = 0; node < kNodes; ++node) threads_.emplace_back([this, node] { Run(node); });
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  void SetRates(std::vector<int> rates) {
    for (int node = 0; node < kNodes; ++node) rates_[node] = rates[node];
  }
  std::vector<Exchange> Admitted() {
    std::lock_guard lock(mutex_);
    return admitted_;
  }
  int failed() const { return failed_; }

 private:
  void Run(int node) {
    std::unique_ptr<Client> client;
    for (Clock::time_point next = Clock::now(); !stop_;) {
      const int rate = rates_[node];
      next = std::max(next + microseconds(rate == 0 ? 10'000 : 1'000'000 / rate), Clock::now() - milliseconds(20));
      std::this_thread::sleep_until(next);
      if (rate == 0) continue;
      if (client == nullptr) client = std::make_unique<Client>(platform_.http_port(node));
      const Clock::time_point sent = Clock::now();
      const int status = client->Get(host_);
      if (status == 200) {
        std::lock_guard lock(mutex_);
        admitted_.push_back({sent, Clock::now()});
      } else if (status != 429) {
        ++failed_;
        client.reset();
      }
    }
  }
  using microseconds = std::chrono::microseconds;

  Platform& platform_;
  const std::string host_;
  std::array<std::atomic<int>, kNodes> rates_{};
  std::atomic<bool> stop_{false};
  std::atomic<int> failed_{0};
  std::mutex mutex_;
  std::vector<Exchange> admitted_;
  std::vector<std::thread> threads_;
};

// The most requests that were certainly admitted within one second.
size_t MostInOneSecond(const std::vector<Exchange>& admitted) {
  size_t most = 0;
  for (const Exchange& first : admitted) {
    size_t count = 0;
    for (const Exchange& other : admitted) {
      count += other.sent >= first.sent && other.answered < first.sent + seconds(1);
    }
    most = std::max(most, count);
  }
  return most;
}

size_t AdmittedSince(const std::vector<Exchange>& admitted, Clock::time_point since) {
  return static_cast<size_t>(
      std::count_if(admitted.begin(), admitted.end(), [&](const Exchange& one) { return one.sent >= since; }));
}

TEST_CASE("three nodes admit one limit together, and nearly all of it, wherever the load is") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform, Platform::Host("shop"));
  size_t usable = 0, measured = 0;
  for (const std::vector<int>& rates : {std::vector{120, 120, 120}, {300, 6, 3}, {3, 300, 6}, {6, 3, 300}}) {
    load.SetRates(rates);
    std::this_thread::sleep_for(seconds(1));
    const auto since = Clock::now();
    std::this_thread::sleep_for(seconds(3));
    measured += 3 * kLimit;
    usable += AdmittedSince(load.Admitted(), since);
  }
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
  CHECK(usable >= measured * 3 / 4);  // what it is on a machine that is not busy: bench/fleet
}

TEST_CASE("no second has more than the limit when the allocator and a node die and come back under load") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform, Platform::Host("shop"));
  load.SetRates({300, 20, 20});
  std::this_thread::sleep_for(seconds(2));
  platform.control_plane().Kill();
  load.SetRates({20, 300, 20});
  std::this_thread::sleep_for(seconds(6));
  platform.StartControlPlane();
  load.SetRates({20, 20, 300});
  std::this_thread::sleep_for(seconds(4));
  platform.node(2).Kill();
  load.SetRates({300, 300, 0});
  platform.StartNode(2);
  load.SetRates({300, 300, 300});
  std::this_thread::sleep_for(seconds(3));
  const auto since = Clock::now();
  std::this_thread::sleep_for(seconds(3));
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
  CHECK(AdmittedSince(load.Admitted(), since) >= 3 * kLimit / 2);
}

TEST_CASE("a node that is stopped and goes on admits nothing on what others have meanwhile") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform, Platform::Host("shop"));
  load.SetRates({300, 3, 3});
  std::this_thread::sleep_for(seconds(2));
  platform.node(0).Signal(SIGSTOP);
  load.SetRates({300, 300, 300});
  std::this_thread::sleep_for(seconds(7));
  platform.node(0).Signal(SIGCONT);
  std::this_thread::sleep_for(seconds(2));
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

// How many of a second's requests one node admits.
size_t AdmittedInASecond(Client& client) {
  size_t admitted = 0;
  for (const auto end = Clock::now() + seconds(1); Clock::now() < end;) {
    admitted += client.Get(Platform::Host("shop")) == 200;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return admitted;
}

TEST_CASE("the part of a node that died is kept for it until it is removed, and then is the others'") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  CHECK(platform.Sluice({"nodes", "remove", "node-2"}).err.find("is connected") != std::string::npos);
  platform.node(1).Kill();
  Client client(platform.http_port(0));
  std::this_thread::sleep_for(seconds(3));  // its death must make no difference, also later
  CHECK(AdmittedInASecond(client) <= kLimit / 2 + 1);
  // Until the control plane has seen that its connection has ended.
  REQUIRE(Eventually([&] { return platform.Sluice({"nodes", "remove", "node-2"}).exit_code == 0; }));
  CHECK(platform.Sluice({"nodes", "remove", "node-2"}).exit_code == 3);
  CHECK(Eventually([&] { return AdmittedInASecond(client) > kLimit * 3 / 4; }));
}

}  // namespace
}  // namespace sluice::test
