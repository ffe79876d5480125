// A well-behaved client: asks at a steady rate, whatever the answers take, and tells how long they took. One line of
// JSON on standard output. A request is late where the one before it was not answered in time: its time counts from
// when it should have been sent, so that a stall is seen as long as it lasts.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/attack/socket.h"

namespace {

using sluice::attack::Address;
using sluice::attack::Now;

constexpr int kAnswerMs = 5000;

struct Probe {
  Address address;
  std::string request;
  int fd = -1;
  bool fresh = false;

  // True where an answer with status 200 came whole. The answer's body has a length.
  bool Ask() {
    if (fd < 0) fd = sluice::attack::Connect(address);
    const bool answered = fd >= 0 && sluice::attack::SendAll(fd, request) && ReadAnswer();
    if (!answered || fresh) {
      close(fd);
      fd = -1;
    }
    return answered;
  }

  bool ReadAnswer() {
    std::string bytes;
    size_t head = std::string::npos;
    while ((head = bytes.find("\r\n\r\n")) == std::string::npos) {
      if (!sluice::attack::Receive(fd, bytes, kAnswerMs)) return false;
    }
    const size_t length_at = bytes.find("Content-Length: ");
    if (bytes.substr(9, 3) != "200" || length_at > head) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(bytes.find("\r\n")), bytes.c_str());
      return false;
    }
    const size_t whole = head + 4 + std::strtoul(bytes.c_str() + length_at + 16, nullptr, 10);
    while (bytes.size() < whole) {
      if (!sluice::attack::Receive(fd, bytes, kAnswerMs)) return false;
    }
    return true;
  }
};

double Percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(stderr,
                 "usage: attack-probe ADDRESS:PORT HOST PATH REQUESTS_PER_SECOND SECONDS [fresh]\n"
                 "fresh: a connection for each request\n");
    return 64;
  }
  Probe probe{.address = sluice::attack::ParseAddress(argv[1]), .request = {}};
  probe.request.append("GET ").append(argv[3]).append(" HTTP/1.1\r\nHost: ").append(argv[2]).append("\r\n\r\n");
  probe.fresh = argc == 7;
  const double rate = std::atof(argv[4]);
  const int count = static_cast<int>(rate * std::atof(argv[5]));
  std::vector<double> times;
  int failed = 0;
  const double start = Now();
  for (int i = 0; i < count; ++i) {
    const double due = start + i / rate;
    const double wait = due - Now();
    if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    if (probe.Ask()) {
      times.push_back((Now() - due) * 1000);
    } else {
      ++failed;
    }
  }
  std::sort(times.begin(), times.end());
  std::printf("{\"requests\":%d,\"failed\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", count, failed,
              Percentile(times, 0.5), Percentile(times, 0.99), times.empty() ? 0 : times.back());
  return 0;
}
