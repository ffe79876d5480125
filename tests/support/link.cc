#include "tests/support/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "catch2/catch.hpp"

namespace sluice::test {
namespace {

constexpr auto kTurn = std::chrono::milliseconds(1);

sockaddr_in Loopback(uint16_t port) {
  return {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
}

int ConnectTo(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

}  // namespace

Link::Link(uint16_t target) : target_(target) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listener_, 64) == 0);
  REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

Link::~Link() {
  stop_ = true;
  thread_.join();
  for (Connection& connection : connections_) Close(connection);
  close(listener_);
}

void Link::Close(Connection& connection) {
  const linger at_once{1, 0};
  for (const int fd : {connection.client, connection.server}) {
    if (fd < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
  }
}

void Link::Accept() {
  for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back({.client = fd, .up = {}, .down = {}});
  }
}

// False: the connection is of no more use.
bool Link::Move(int from, int to, Direction& direction, double seconds) {
  char chunk[16 * 1024];
  while (!direction.ended && direction.waiting.size() < kBuffer) {
    const ssize_t got = recv(from, chunk, sizeof chunk, 0);
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return false;
    direction.ended = got == 0;
    direction.waiting.append(chunk, static_cast<size_t>(got));
  }
  const uint64_t rate = rate_;
  size_t most = direction.waiting.size();
  if (rate > 0) {
    direction.allowed = std::min(direction.allowed + seconds * static_cast<double>(rate), static_cast<double>(rate));
    most = std::min(most, static_cast<size_t>(direction.allowed));
  }
  const ssize_t sent = most == 0 ? 0 : send(to, direction.waiting.data(), most, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  if (sent > 0) {
    direction.waiting.erase(0, static_cast<size_t>(sent));
    if (rate > 0) direction.allowed -= static_cast<double>(sent);
    bytes_ += static_cast<uint64_t>(sent);
  }
  if (direction.ended && direction.waiting.empty()) shutdown(to, SHUT_WR);
  return true;
}

bool Link::Carry(Connection& connection, double seconds) {
  if (connection.server < 0) connection.server = ConnectTo(target_);
  if (connection.server < 0) return false;
  const bool good = Move(connection.client, connection.server, connection.up, seconds) &&
                    Move(connection.server, connection.client, connection.down, seconds);
  const auto over = [](const Direction& direction) { return direction.ended && direction.waiting.empty(); };
  return good && !(over(connection.up) && over(connection.down));
}

void Link::Run() {
  auto before = std::chrono::steady_clock::now();
  while (!stop_) {
    std::this_thread::sleep_for(kTurn);
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - before).count();
    before = now;
    Accept();
    if (reset_.exchange(false)) {
      for (Connection& connection : connections_) Close(connection);
      connections_.clear();
    }
    if (!open_) continue;
    connections_.remove_if([&](Connection& connection) {
      if (Carry(connection, seconds)) return false;
      Close(connection);
      return true;
    });
  }
}

}  // namespace sluice::test
