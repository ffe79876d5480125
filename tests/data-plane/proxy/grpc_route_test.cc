// Requests of HTTP/1.1 that meet routes for gRPC.

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Node;

TEST_CASE("HTTP/1.1 meets a route for gRPC and is told of HTTP/2") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" protocols: "grpc" strip_path: false })"});
  auto response = node.Ask("POST /p.S/M HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
  CHECK(response.status == 426);
  CHECK(response.fields["upgrade"] == "HTTP/2");
  CHECK(response.body.find("Please use HTTP2 protocol") != std::string::npos);
}

TEST_CASE("a weaker route for HTTP takes what a stronger one for gRPC cannot") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/p.S" protocols: "grpc" strip_path: false }
                           routes { paths: "/" })"});
  CHECK(node.Ask("GET /p.S/M HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 200);
}
