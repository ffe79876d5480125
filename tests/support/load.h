#pragma once

// Steady HTTP/1.1 requests from threads of their own, and what came of each. Nothing here asserts, so it may run beside
// a test's own steps.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

// A connection to 127.0.0.1 that is kept while the peer keeps it. Answers have a length. One thread.
class KeepAlive {
 public:
  explicit KeepAlive(uint16_t port) : port_(port) {}
  ~KeepAlive() { Disconnect(); }
  KeepAlive(const KeepAlive&) = delete;

  // The status of a GET; 0: there was no whole answer. A request on a kept connection that ended before the first byte
  // of the answer is sent once more on a new one, as RFC 9110 section 9.2.2 lets every client do.
  int Get(const std::string& host, const std::string& path = "/anything");
  // Nobody listens at its port: the last Get was not sent.
  bool refused() const { return refused_; }

 private:
  bool Connect();
  void Disconnect();
  int Once(const std::string& request, bool& silent);

  const uint16_t port_;
  int fd_ = -1;
  bool refused_ = false;
};

struct Exchange {
  std::chrono::steady_clock::time_point sent, answered;
  int status = 0;  // 0: none
};

// The most of these that were certainly admitted within one second: sent and answered in it.
size_t MostInOneSecond(const std::vector<Exchange>& admitted);

class Load {
 public:
  // One thread a port. Where `others_serve`, a thread goes on to the next port when nobody listens at its own, as
  // behind a load balancer.
  Load(std::vector<uint16_t> ports, std::string host, bool others_serve = false);
  ~Load();  // stops
  void Stop();  // after the requests that are under way

  // Requests a second, by port. Where it is 0, nothing is under way when this returns.
  void SetRates(const std::vector<int>& rates);
  void SetRate(int rate) { SetRates(std::vector<int>(ports_.size(), rate)); }

  std::vector<Exchange> All();
  std::vector<Exchange> Admitted();  // answered with 200
  // Neither 200 nor 429.
  size_t failed() { return failed_; }
  std::string first_failure();  // "": none

 private:
  void Run(size_t index);
  void Note(const Exchange& exchange, size_t index);

  const std::vector<uint16_t> ports_;
  const std::string host_;
  const bool others_serve_;
  std::vector<std::atomic<int>> rates_;
  std::vector<std::atomic<bool>> idle_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> failed_{0};
  std::mutex mutex_;
  std::vector<Exchange> exchanges_;
  std::string first_failure_;
  std::chrono::steady_clock::time_point started_;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::test
