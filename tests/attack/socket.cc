#include "tests/attack/socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace sluice::attack {
namespace {

sockaddr_in ToSystem(const Address& address) {
  sockaddr_in system{};
  system.sin_family = AF_INET;
  system.sin_port = htons(address.port);
  if (inet_pton(AF_INET, address.ip.c_str(), &system.sin_addr) != 1) {
    std::fprintf(stderr, "'%s' is not an IPv4 address\n", address.ip.c_str());
    std::exit(64);
  }
  return system;
}

bool WaitFor(int fd, short events, int timeout_ms) {
  pollfd ready{fd, events, 0};
  return poll(&ready, 1, timeout_ms) > 0;
}

}  // namespace

Address ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  Address address;
  if (colon != std::string::npos) {
    address.ip = text.substr(0, colon);
    address.port = static_cast<uint16_t>(std::atoi(text.c_str() + colon + 1));
  }
  if (address.port == 0) {
    std::fprintf(stderr, "'%s' is not ADDRESS:PORT\n", text.c_str());
    std::exit(64);
  }
  return address;
}

int Connect(const Address& to) {
  const sockaddr_in system = ToSystem(to);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&system), sizeof system) == 0) return fd;
  close(fd);
  return -1;
}

int Listen(const Address& at) {
  const sockaddr_in system = ToSystem(at);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&system), sizeof system) != 0 || listen(fd, 1024) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

int AcceptNow(int listener) {
  return WaitFor(listener, POLLIN, 0) ? accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) : -1;
}

bool SendAll(int fd, std::string_view bytes, int stall_ms) {
  while (!bytes.empty()) {
    if (!WaitFor(fd, POLLOUT, stall_ms)) return false;
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Receive(int fd, std::string& into, int timeout_ms) {
  if (!WaitFor(fd, POLLIN, timeout_ms)) return false;
  char bytes[16384];
  const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  into.append(bytes, static_cast<size_t>(got));
  return true;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace sluice::attack
