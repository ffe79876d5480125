// What an idle connection costs in memory.

#include <arpa/inet.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iostream>
#include <vector>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Node;
using sluice::test::Peer;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // theirs is another allocator
namespace {

// A connection that has had its answer, with nothing on the test's heap.
int Rest(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
  REQUIRE(send(fd, kGet.data(), kGet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kGet.size()));
  char answer[4096];
  size_t got = 0;
  while (!std::string_view(answer, got).ends_with("\r\n\r\nok")) {
    const ssize_t more = recv(fd, answer + got, sizeof answer - got, 0);
    REQUIRE(more > 0);
    got += static_cast<size_t>(more);
  }
  return fd;
}

}  // namespace

TEST_CASE("an idle connection holds about a kilobyte") {
  constexpr size_t kConnections = 100;
  Node node({.gateway = R"(hosts: "a.test" plan { requests_per_second: 1000000 } routes { paths: "/" })",
             .upstream = [](auto&, Peer& peer) {
               while (!peer.ReadRequest().empty()) peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
             }});
  std::vector<int> resting;
  resting.reserve(2 * kConnections);
  while (resting.size() < kConnections) resting.push_back(Rest(node.group().http_port()));
  const size_t before = mallinfo2().uordblks;  // what all share is there
  while (resting.size() < 2 * kConnections) resting.push_back(Rest(node.group().http_port()));
  const size_t each = (mallinfo2().uordblks - before) / kConnections;
  std::cout << "an idle connection: " << each << " bytes\n";
  CHECK(each <= 1200);
  for (const int fd : resting) close(fd);
}
#endif
