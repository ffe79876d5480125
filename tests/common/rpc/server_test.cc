#include "common/rpc/server.h"

#include <arpa/inet.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "catch2/catch.hpp"
#include "common/rpc/listener.h"
#include "tests/common/rpc/health_check.h"

namespace sluice::rpc {
namespace {

// gRPC's health service and, since gRPC starts no server without one, a service that knows no method.
class TestServer {
 public:
  explicit TestServer(const std::string& address, int max_connections = kMaxConnections) {
    grpc::EnableDefaultHealthCheckService(true);
    const auto configure = [this](grpc::ServerBuilder& builder) { builder.RegisterCallbackGenericService(&nothing_); };
    server_ = Server::Start(address, grpc::InsecureServerCredentials(), configure, max_connections);
  }
  const absl::Status& status() const { return server_.status(); }
  Server* operator->() const { return server_->get(); }

 private:
  grpc::CallbackGenericService nothing_;
  absl::StatusOr<std::unique_ptr<Server>> server_;
};

std::shared_ptr<grpc::Channel> ChannelTo(const TestServer& server) {
  return MakeChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials());
}

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { fd_ < 0 ? 0 : close(fd_); }
  bool open() const { return fd_ >= 0; }
  bool Connect(uint16_t port) const {
    sockaddr_in address{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    return connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  // Waits until the peer closed. One that got a descriptor after all is served, until its handshake takes too long.
  bool IsClosedByPeer() const {
    pollfd event{fd_, POLLIN, 0};
    char bytes[1024];
    while (poll(&event, 1, 3 * kHandshakeTimeoutMs) == 1) {
      if (recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
    }
    return false;
  }

 private:
  int fd_;
};

// Lowers the limit so that `spare` descriptors are left to open; restores it at the end.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t spare) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const Socket next;
    const int highest = dup(0);
    rlimit lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(highest) + spare;
    close(highest);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("a server answers again after connections took every descriptor") {
  TestServer server("127.0.0.1:0");
  REQUIRE(CheckHealth(ChannelTo(server)).ok());
  {
    DescriptorLimit limit(100);
    std::vector<Socket> sockets;
    for (Socket socket; socket.open(); socket = Socket()) sockets.push_back(std::move(socket));
    for (const Socket& socket : sockets) REQUIRE(socket.Connect(server->port()));
    for (const Socket& socket : sockets) CHECK(socket.IsClosedByPeer());
  }
  CHECK(server->refused_connections() > 50);
  CHECK(CheckHealth(ChannelTo(server)).ok());
}

TEST_CASE("a server answers while idle connections hold every descriptor it gives to connections") {
  TestServer server("127.0.0.1:0");
  auto channel = ChannelTo(server);
  REQUIRE(CheckHealth(channel).ok());
  DescriptorLimit limit(100);
  std::vector<Socket> sockets;
  while (server->refused_connections() == 0 && sockets.size() < 100) {
    sockets.emplace_back();
    if (!sockets.back().open()) break;
    REQUIRE(sockets.back().Connect(server->port()));
  }
  CHECK(CheckHealth(channel).ok());
}

TEST_CASE("connections up to the cap are served and one past it is closed at once") {
  TestServer server("127.0.0.1:0", 2);
  auto first = ChannelTo(server);
  auto second = ChannelTo(server);
  REQUIRE(CheckHealth(first).ok());
  REQUIRE(CheckHealth(second).ok());
  Socket third;
  REQUIRE(third.Connect(server->port()));
  CHECK(third.IsClosedByPeer());
  CHECK(server->refused_connections() == 1);
}

TEST_CASE("a connection that ended makes room under the cap") {
  TestServer server("127.0.0.1:0", 1);
  REQUIRE(CheckHealth(ChannelTo(server)).ok());
  CHECK(CheckHealth(ChannelTo(server)).ok());
}

TEST_CASE("a message of 4 MiB is received and one byte more is refused") {
  TestServer server("127.0.0.1:0");
  auto channel = ChannelTo(server);
  // Not a health request, so what is received is answered INVALID_ARGUMENT; what is not, RESOURCE_EXHAUSTED.
  CHECK(CheckHealth(channel, 4 * 1024 * 1024).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(CheckHealth(channel, 4 * 1024 * 1024 + 1).error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_CASE("an address that is taken is named in the error") {
  TestServer server("127.0.0.1:0");
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  TestServer second(address);
  CHECK(second.status().message() == "cannot listen on " + address + ": Address already in use");
}

TEST_CASE("an address without a port is refused") {
  TestServer server("localhost");
  CHECK(server.status().message() == "\"localhost\" is not host:port");
}

bool HasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return has;
}

TEST_CASE("an IPv6 address is written in brackets") {
  if (!HasIpv6()) {
    WARN("this machine has no IPv6");
    return;
  }
  TestServer server("[::1]:0");
  REQUIRE(server.status().ok());
  CHECK(CheckHealth(MakeChannel("[::1]:" + std::to_string(server->port()), grpc::InsecureChannelCredentials())).ok());
}

TEST_CASE("a port of nodes without an authority is refused") {
  CHECK(NodePortCredentials({"cert.pem", "key.pem", ""}).status().message() ==
        "the port of nodes needs a certificate and an authority");
}

TEST_CASE("a file that cannot be read is named, never quoted") {
  CHECK(ClientCredentials({"", "", "/nonexistent/ca.pem"}).status().message() ==
        "cannot read /nonexistent/ca.pem: No such file or directory");
}

}  // namespace
}  // namespace sluice::rpc
