// What many uploads and connections at once cost a node in memory.

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <iostream>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/http2.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";
constexpr size_t kBody = 10 * 1024 * 1024;
constexpr size_t kUploads = 100;
constexpr size_t kMaxGrowth = 256 * 1024;          // of an upload
constexpr rlim_t kSmallMachine = 256 * 1024 * 1024;
constexpr size_t kConnections = 1000;
constexpr std::string_view kHalf = "GET /anything HTTP/1.1\r\nHost: shop.gw.localhost\r\nX-Half:";
constexpr size_t kConnectionsOfAddress = 200;      // the node allows an address 256

// A connection to the node from an address of its own on this machine.
int Dial(uint16_t port, uint32_t from = INADDR_LOOPBACK) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in own{AF_INET, 0, {htonl(from)}, {}}, node{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&node), sizeof node) == 0);
  return fd;
}

// One upload on a connection of its own, as fast as the node takes it: over HTTP/2 within the windows that it gives.
class Upload {
 public:
  Upload(uint16_t port, bool http2) : http2_(http2), fd_(Dial(port)) {
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    const std::string length = std::to_string(kBody);
    if (!http2) {
      out_.append("POST /anything HTTP/1.1\r\nHost: ").append(kHost);
      out_.append("\r\nContent-Length: ").append(length).append("\r\n\r\n");
      return;
    }
    std::string fields = "\x83\x86";
    fields.append(h2::Field(":path", "/anything")).append(h2::Field(":authority", kHost));
    fields.append(h2::Field("content-length", length));
    out_.append(h2::kPreface).append(h2::Frame(h2::kSettings, h2::kAck, 0));
    out_.append(h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, fields));
  }
  ~Upload() { close(fd_); }
  Upload(const Upload&) = delete;

  bool served() const { return in_.starts_with("HTTP/1.1 200 ") || ok_; }
  size_t left() const { return left_; }
  pollfd waits_for() const {
    const bool more = !out_.empty() || (left_ > 0 && Window() > 0);
    return {fd_, static_cast<short>(POLLIN | (more ? POLLOUT : 0)), 0};
  }
  void Move() {
    char bytes[16'384];
    for (ssize_t got; (got = recv(fd_, bytes, sizeof bytes, 0)) > 0;) in_.append(bytes, got);
    if (http2_) TakeFrames();
    while (!out_.empty() || NextPiece()) {
      const ssize_t sent = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      out_.erase(0, sent);
    }
  }

 private:
  size_t Window() const { return http2_ ? std::min(stream_window_, connection_window_) : left_; }
  bool NextPiece() {
    const size_t size = std::min({left_, Window(), size_t{16'384}});
    if (size == 0) return false;
    left_ -= size;
    out_.assign(size, 'x');
    if (!http2_) return true;
    stream_window_ -= size;
    connection_window_ -= size;
    out_ = h2::Frame(h2::kData, left_ == 0 ? h2::kEndStream : 0, 1, out_);
    return true;
  }
  void TakeFrames() {
    for (const h2::Received& frame : h2::TakeFrames(in_)) {
      if (frame.type == h2::kWindowUpdate) (frame.stream == 0 ? connection_window_ : stream_window_) += frame.number();
      ok_ = ok_ || (frame.type == h2::kHeaders && frame.payload.starts_with("\x88"));
    }
  }
  const bool http2_;
  const int fd_;
  size_t left_ = kBody;
  size_t stream_window_ = 65'535, connection_window_ = 65'535;
  std::string out_, in_;
  bool ok_ = false;
};

using Uploads = std::deque<Upload>;

size_t Served(const Uploads& uploads) {
  return std::count_if(uploads.begin(), uploads.end(), [](const Upload& upload) { return upload.served(); });
}

// A TCP sender that found no room asks again after ever longer pauses, seconds in the end.
constexpr int kLongestPauseMs = 30'000;

// Until all are served, or nothing has moved for so long.
void CarryOn(Uploads& uploads, int patience_ms = kLongestPauseMs) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (Served(uploads) < uploads.size() && std::chrono::steady_clock::now() < deadline) {
    std::vector<pollfd> sockets;
    for (const Upload& upload : uploads) {
      sockets.push_back(upload.served() ? pollfd{-1, 0, 0} : upload.waits_for());
    }
    if (poll(sockets.data(), sockets.size(), patience_ms) <= 0) return;
    for (size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].revents != 0) uploads[i].Move();
    }
  }
}

// A line of /proc/PID/status, in bytes.
size_t StatusBytes(pid_t pid, const std::string& name) {
  const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/status");
  const size_t at = status.find(name + ":");
  REQUIRE(at != std::string::npos);
  return std::strtoul(status.c_str() + at + name.size() + 1, nullptr, 10) * 1024;
}

void Serve(Platform& platform) {
  platform.Ok({"plan", "set", "unlimited", "--requests-per-second", "0"});
  platform.Ok({"gateway", "create", "shop", "--plan", "unlimited", "--wait"});
  platform.Apply("shop", kEcho);
}

TEST_CASE("a hundred uploads of ten megabytes to a service that takes nothing hold at most 256 KiB each of a node") {
  const bool http2 = GENERATE(false, true);
  Platform platform;
  Serve(platform);
  const pid_t pid = platform.node().pid();
  Uploads first;
  first.emplace_back(platform.http_port(), http2);  // what the first upload costs stays
  CarryOn(first);
  REQUIRE(Served(first) == 1);
  const size_t before = StatusBytes(pid, "RssAnon");
  platform.upstream().Signal(SIGSTOP);
  Uploads uploads;
  for (size_t i = 0; i < kUploads; ++i) uploads.emplace_back(platform.http_port(), http2);
  CarryOn(uploads, 1000);
  CHECK(Served(uploads) == 0);
  size_t left = 0;
  for (const Upload& upload : uploads) left += upload.left();
  CHECK(left > 0);  // the kernel's buffers take up to eight megabytes of each, and the node holds back the rest
  const size_t now = StatusBytes(pid, "RssAnon");
  std::cout << "an upload to a service that takes nothing, over " << (http2 ? "HTTP/2: " : "HTTP/1: ")
            << (now - std::min(now, before)) / kUploads << " bytes of the node's memory\n";
  CHECK(now <= before + kUploads * kMaxGrowth);
  platform.upstream().Signal(SIGCONT);
  CarryOn(uploads);
  CHECK(Served(uploads) == kUploads);
}

TEST_CASE("a node with 256 MiB lives through a hundred uploads of ten megabytes beside a thousand connections") {
  Platform platform;
  Serve(platform);
  const pid_t pid = platform.node().pid();
  const rlimit limit{kSmallMachine, kSmallMachine};  // of its heap and the stacks of its threads
  REQUIRE(prlimit(pid, RLIMIT_DATA, &limit, nullptr) == 0);
  std::vector<int> connections;
  for (size_t i = 0; i < kConnections; ++i) {
    const uint32_t from = INADDR_LOOPBACK + 1 + static_cast<uint32_t>(i / kConnectionsOfAddress);
    connections.push_back(Dial(platform.http_port(), from));
    REQUIRE(send(connections.back(), kHalf.data(), kHalf.size(), MSG_NOSIGNAL) > 0);
  }
  for (const bool http2 : {false, true}) {
    Uploads uploads;
    for (size_t i = 0; i < kUploads; ++i) uploads.emplace_back(platform.http_port(), http2);
    CarryOn(uploads);
    CHECK(Served(uploads) == kUploads);
  }
  for (const int fd : connections) close(fd);
  CHECK(platform.node().running());
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  const size_t peak = StatusBytes(pid, "VmHWM");
  std::cout << "a hundred uploads beside a thousand connections: " << peak / 1024 / 1024 << " MiB at most\n";
  CHECK(peak <= kSmallMachine);
}

}  // namespace
}  // namespace sluice::test
