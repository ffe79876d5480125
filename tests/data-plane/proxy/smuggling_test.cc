// The literal requests of tests/fuzz/corpus on the wire, each with one more request behind it: what is refused never
// reaches the service and ends the connection, what is accepted is exactly as many requests there as it is to us.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::Node;

namespace {

constexpr const char* kLast = "GET /last HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n";

// How many requests reach the service; none of those that are not here. Most literals hold two, and are followed by
// one.
const std::map<std::string, int> kAccepted = {
    {"browser", 2},
    {"connection-1.0-keep-alive", 3},
    {"connection-close", 1},
    {"connection-commas", 3},
    {"exp-100", 2},
    {"h1-03-coding-plain", 3},
    {"h1-03-coding-upper", 3},
    {"h1-05-length-plain", 3},
    {"h1-05-length-tab", 3},
    {"h1-07-size-zeros", 3},
    {"h1-09-extension-escaped", 3},
    {"h1-09-extension-name", 3},
    {"h1-09-extension-plain", 3},
    {"h1-09-extension-quoted", 3},
    {"h1-09-extension-quoted-obs-text", 3},
    {"h1-09-extension-two", 3},
    {"h1-10-early-end-trailer", 3},
    {"h1-10-trailers", 3},
    {"h1-12-blank", 3},
    {"h1-12-empty", 3},
    {"h1-12-name-underscore", 3},
    {"h1-12-value-obs-text", 3},
    {"h1-12-value-tab", 3},
    {"h1-13-1.0", 1},
    {"h1-13-crlf-first", 3},
    {"h1-13-double-slash", 3},
    {"h1-13-m-search", 3},
    {"h1-13-method-lower", 3},
    {"h1-13-method-unknown", 3},
    {"h1-13-options-star", 2},  // a star has no route
    {"h1-13-query", 3},
    {"h1-13-source", 3},
    {"h1-13-target-odd", 2},  // its path is refused
    {"h1-14-absolute-bare", 3},
    {"h1-14-absolute-https", 3},
    {"h1-14-absolute-options", 1},  // a star again
    {"h1-14-absolute-query", 3},
    {"h1-14-absolute-same", 3},
    {"h1-14-absolute-v6", 1},  // nobody's host, nor are the next two
    {"h1-14-host-upper", 1},
    {"h1-14-host-v6", 1},
    {"h1-15-get-with-chunks", 3},
    {"h1-15-get-with-length", 2},  // its body is what looks like a request
    {"h1-15-head-with-length", 3},
    {"h1-16-pipelined", 5},
    {"proxy-connection", 3},
    {"upg-1-foo", 3},
    {"upg-2-websocket", 3},
    {"upg-3-with-length", 3},
    {"upg-4-h2c", 3},
};

std::map<std::string, std::string> Literals() {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/request")) {
    std::ifstream in(entry.path(), std::ios::binary);
    all[entry.path().filename()] = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  return all;
}

// Status codes up to the end of the connection.
std::vector<int> Statuses(sluice::test::WireClient& client) {
  std::vector<int> all;
  for (int status = client.Read().status; status != 0; status = client.Read().status) all.push_back(status);
  return all;
}

}  // namespace

TEST_CASE("every literal request is as many requests to the service as it is to us, and none where it is refused") {
  Node node(
      {.gateway = R"(hosts: "example.test" hosts: "h" plan { requests_per_second: 100000 } routes { paths: "/" })",
       .upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")});
  const auto literals = Literals();
  for (const auto& [name, bytes] : literals) {
    INFO(name);
    const int before = node.upstream().requests();
    auto client = node.Connect();
    client.Send(bytes + kLast);
    const std::vector<int> statuses = Statuses(client);
    CHECK(client.Closed());
    const auto accepted = kAccepted.find(name);
    CHECK(node.upstream().requests() - before == (accepted != kAccepted.end() ? accepted->second : 0));
    if (accepted == kAccepted.end()) {
      REQUIRE(statuses.size() == 1);
      CHECK(statuses[0] >= 400);
    }
  }
  for (const auto& [name, requests] : kAccepted) CHECK(literals.contains(name));
}
