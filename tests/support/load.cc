#include "tests/support/load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace sluice::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kMaxWaitSeconds = 10;

}  // namespace

bool KeepAlive::Connect() {
  const sockaddr_in address{AF_INET, htons(port_), {htonl(INADDR_LOOPBACK)}, {}};
  const timeval patience{kMaxWaitSeconds, 0};
  const int on = 1;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  refused_ = true;
  Disconnect();
  return false;
}

void KeepAlive::Disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

// `silent`: the connection ended before the answer began.
int KeepAlive::Once(const std::string& request, bool& silent) {
  std::string answer;
  size_t whole = std::string::npos;
  bool sent = send(fd_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  while (sent && answer.size() < whole) {
    char chunk[4096];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) {
      sent = false;
      silent = answer.empty() && (got == 0 || errno == ECONNRESET);
      break;
    }
    answer.append(chunk, static_cast<size_t>(got));
    const size_t head = answer.find("\r\n\r\n"), length = answer.find("Content-Length: ");
    if (head != std::string::npos && length < head) whole = head + 4 + std::stoul(answer.substr(length + 16));
  }
  if (!sent) {
    silent = silent || (answer.empty() && errno == EPIPE);
    Disconnect();
    return 0;
  }
  if (answer.find("Connection: close\r\n") < answer.find("\r\n\r\n")) Disconnect();
  return std::stoi(answer.substr(9, 3));
}

int KeepAlive::Get(const std::string& host, const std::string& path) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  refused_ = false;
  const bool kept = fd_ >= 0;
  if (!kept && !Connect()) return 0;
  bool silent = false;
  const int status = Once(request, silent);
  if (status != 0 || !kept || !silent) return status;
  return Connect() ? Once(request, silent) : 0;
}

Load::Load(std::vector<uint16_t> ports, std::string host, bool others_serve)
    : ports_(std::move(ports)),
      host_(std::move(host)),
      others_serve_(others_serve),
      rates_(ports_.size()),
      idle_(ports_.size()),
      started_(Clock::now()) {
  for (size_t i = 0; i < ports_.size(); ++i) threads_.emplace_back([this, i] { Run(i); });
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Load::SetRates(const std::vector<int>& rates) {
  for (size_t i = 0; i < rates_.size(); ++i) {
    if (rates[i] == 0) idle_[i] = false;
    rates_[i] = rates[i];
  }
  for (size_t i = 0; i < rates_.size(); ++i) {
    while (rates_[i] == 0 && !idle_[i] && !stop_) std::this_thread::sleep_for(milliseconds(1));
  }
}

void Load::Run(size_t index) {
  size_t at = index;
  auto client = std::make_unique<KeepAlive>(ports_[at]);
  for (Clock::time_point next = Clock::now(); !stop_;) {
    int rate = rates_[index];
    const auto pause = rate == 0 ? microseconds(milliseconds(10)) : microseconds(1'000'000 / rate);
    next = std::max(next + pause, Clock::now() - milliseconds(20));
    std::this_thread::sleep_until(next);
    rate = rates_[index];
    idle_[index] = rate == 0;
    if (rate == 0) continue;
    Exchange exchange{.sent = Clock::now(), .answered = {}};
    exchange.status = client->Get(host_);
    for (size_t tries = 1; others_serve_ && client->refused() && tries < ports_.size(); ++tries) {
      at = (at + 1) % ports_.size();
      client = std::make_unique<KeepAlive>(ports_[at]);
      exchange.status = client->Get(host_);
    }
    exchange.answered = Clock::now();
    Note(exchange, at);
  }
}

void Load::Note(const Exchange& exchange, size_t index) {
  std::lock_guard lock(mutex_);
  exchanges_.push_back(exchange);
  if (exchange.status == 200 || exchange.status == 429) return;
  if (failed_++ > 0) return;
  const auto at = std::chrono::duration_cast<milliseconds>(exchange.sent - started_).count();
  first_failure_ = "status " + std::to_string(exchange.status) + " of port " + std::to_string(ports_[index]) + ", " +
                   std::to_string(at) + " ms after the start";
}

std::vector<Exchange> Load::All() {
  std::lock_guard lock(mutex_);
  return exchanges_;
}

std::vector<Exchange> Load::Admitted() {
  std::vector<Exchange> admitted;
  std::lock_guard lock(mutex_);
  std::copy_if(exchanges_.begin(), exchanges_.end(), std::back_inserter(admitted),
               [](const Exchange& exchange) { return exchange.status == 200; });
  return admitted;
}

std::string Load::first_failure() {
  std::lock_guard lock(mutex_);
  return first_failure_;
}

size_t MostInOneSecond(const std::vector<Exchange>& admitted) {
  size_t most = 0;
  for (const Exchange& first : admitted) {
    size_t count = 0;
    for (const Exchange& other : admitted) {
      count += other.sent >= first.sent && other.answered < first.sent + std::chrono::seconds(1);
    }
    most = std::max(most, count);
  }
  return most;
}

}  // namespace sluice::test
