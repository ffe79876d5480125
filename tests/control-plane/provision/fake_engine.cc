#include "tests/control-plane/provision/fake_engine.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "catch2/catch.hpp"

namespace sluice::test {
namespace {

// The value of a field of the head, or "".
std::string Field(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

FakeEngine::FakeEngine() {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listener_, 4) == 0);
  thread_ = std::thread([this] { Run(); });
}

FakeEngine::~FakeEngine() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

void FakeEngine::Answer(const std::string& what, int status, const std::string& body) {
  std::lock_guard lock(mutex_);
  answers_[what] = {status, body};
}

FakeEngine::Request FakeEngine::Asked(const std::string& what) const {
  std::lock_guard lock(mutex_);
  const auto last = std::find_if(asked_.rbegin(), asked_.rend(), [&](const auto& one) { return one.first == what; });
  return last == asked_.rend() ? Request() : last->second;
}

size_t FakeEngine::Count(const std::string& what) const {
  std::lock_guard lock(mutex_);
  return std::count_if(asked_.begin(), asked_.end(), [&](const auto& one) { return one.first == what; });
}

void FakeEngine::Run() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    Serve(connection);
    close(connection);
  }
}

void FakeEngine::Serve(int connection) {
  std::string bytes;
  char chunk[65536];
  size_t head_end = 0, length = 0;
  while (true) {
    const ssize_t got = recv(connection, chunk, sizeof chunk, 0);
    if (got <= 0) return;
    bytes.append(chunk, static_cast<size_t>(got));
    head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    const std::string declared = Field(bytes.substr(0, head_end + 2), "Content-Length");
    length = declared.empty() ? 0 : std::stoul(declared);
    if (bytes.size() >= head_end + 4 + length) break;
  }
  const std::string head = bytes.substr(0, head_end + 2);
  Request request;
  request.method = head.substr(0, head.find(' '));
  const size_t target = request.method.size() + 1;
  request.target = head.substr(target, head.find(' ', target) - target);
  request.type = Field(head, "Content-Type");
  request.body = bytes.substr(head_end + 4, length);
  const std::string reply = Reply(request);
  for (size_t sent = 0; sent < reply.size();) {
    const ssize_t count = send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

std::string FakeEngine::Reply(const Request& request) {
  std::lock_guard lock(mutex_);
  const std::string what = request.method + " " + request.target.substr(0, request.target.find('?'));
  asked_.emplace_back(what, request);
  const auto found = answers_.find(what);
  const int status = found == answers_.end() ? 404 : found->second.first;
  const std::string body = found == answers_.end() ? R"({"message": "page not found"})" : found->second.second;
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nConnection: close\r\nContent-Length: " +
         std::to_string(status == 204 ? 0 : body.size()) + "\r\n\r\n" + body;
}

}  // namespace sluice::test
