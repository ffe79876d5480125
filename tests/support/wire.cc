#include "tests/support/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "catch2/catch.hpp"

namespace sluice::test {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void ParseHead(WireResponse& response) {
  if (response.head.size() > 12) response.status = std::atoi(response.head.c_str() + 9);
  size_t at = response.head.find("\r\n");
  while (at != std::string::npos && at + 2 < response.head.size()) {
    const size_t end = response.head.find("\r\n", at + 2);
    const std::string line = response.head.substr(at + 2, end - at - 2);
    const size_t colon = line.find(':');
    if (colon != std::string::npos) {
      const size_t value = line.find_first_not_of(" \t", colon + 1);
      response.fields[Lower(line.substr(0, colon))] = value == std::string::npos ? "" : line.substr(value);
    }
    at = end;
  }
}

}  // namespace

WireClient::WireClient(uint16_t port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  INFO("connecting to port " << port);
  REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

WireClient::~WireClient() {
  close(fd_);
}

bool WireClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(sent);
  }
  return true;
}

bool WireClient::Fill(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd ready{fd_, POLLIN, 0};
  if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  char bytes[65536];
  const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, got);
  return true;
}

WireResponse WireClient::Read(bool head_request, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  WireResponse response;
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(deadline)) return response;
  }
  response.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  ParseHead(response);
  if (head_request || response.status == 204 || response.status == 304 || response.status / 100 == 1) return response;
  const auto take = [&](size_t count) {
    while (buffer_.size() < count && Fill(deadline)) {
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
  };
  if (response.fields.contains("content-length")) {
    response.body = take(std::strtoul(response.fields["content-length"].c_str(), nullptr, 10));
  } else if (response.fields.contains("transfer-encoding")) {
    while (true) {
      size_t line;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill(deadline)) return response;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      buffer_.erase(0, line + 2);
      response.body += take(size);
      take(2);
      if (size == 0) break;
    }
  } else {
    while (Fill(deadline)) {
    }
    response.body = std::exchange(buffer_, "");
  }
  return response;
}

std::string WireClient::Take(size_t bytes, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (buffer_.size() < bytes && Fill(deadline)) {
  }
  std::string taken = buffer_.substr(0, bytes);
  buffer_.erase(0, taken.size());
  return taken;
}

void WireClient::End() {
  shutdown(fd_, SHUT_WR);
}

bool WireClient::Closed(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (Fill(deadline)) {
  }
  char byte;
  return recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || errno == ECONNRESET;
}

WireResponse WireClient::Get(std::string_view host, std::string_view path, std::string_view fields) {
  Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(fields) + "\r\n");
  return Read();
}

}  // namespace sluice::test
