// A gateway from its creation to its answers, through real processes.

#include <algorithm>
#include <chrono>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

TEST_CASE("a created gateway answers 404 until it has a route, and then what its upstream says") {
  Platform platform;
  platform.Ok({"gateway", "create", "shop", "--wait"});
  CHECK(platform.Connect().Get("shop.gw.localhost", "/anything").status == 404);
  platform.Apply("shop", kEcho);
  const WireResponse answer = platform.Connect().Get("shop.gw.localhost", "/anything?a=1");
  CHECK(answer.status == 200);
  CHECK(answer.body.find("/anything") != std::string::npos);
  CHECK(answer.fields.at("via").find("sluice") != std::string::npos);
}

TEST_CASE("https is served for the base domain with a certificate of the local authority") {
  Platform platform;
  platform.Serve("shop", kEcho);
  const std::string at = "shop.gw.localhost:" + std::to_string(platform.https_port());
  const Finished curl = Run({"curl", "-fsS", "--cacert", platform.state() + "/ca.pem", "--resolve", at + ":127.0.0.1",
                             "https://" + at + "/anything"});
  INFO(curl.err);
  CHECK(curl.exit_code == 0);
}

TEST_CASE("one gateway's name never reaches another's configuration") {
  Platform platform;
  platform.Serve("one", kEcho);
  platform.Ok({"gateway", "create", "two", "--wait"});
  CHECK(platform.Connect().Get("one.gw.localhost", "/anything").status == 200);
  CHECK(platform.Connect().Get("two.gw.localhost", "/anything").status == 404);
  CHECK(platform.Connect().Get("nobody.gw.localhost", "/anything").status == 404);
}

TEST_CASE("a hundred requests in any second are admitted and the rest refused with Retry-After") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  WireClient client = platform.Connect();
  using Time = std::chrono::steady_clock::time_point;
  std::vector<std::pair<Time, Time>> admitted;  // sent, answered: the admission lies between
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    const Time sent = std::chrono::steady_clock::now();
    const WireResponse answer = client.Get("shop.gw.localhost", "/anything");
    if (answer.status == 200) admitted.push_back({sent, std::chrono::steady_clock::now()});
    if (answer.status == 429) {
      ++refused;
      REQUIRE(answer.fields.contains("retry-after"));
      CHECK(answer.body.find("API rate limit exceeded") != std::string::npos);
    }
  }
  CHECK(admitted.size() + refused == 300);
  CHECK(refused > 0);
  for (size_t i = 0; i + 100 < admitted.size(); ++i) {
    CHECK(admitted[i + 100].second - admitted[i].first >= std::chrono::seconds(1));
  }
}

TEST_CASE("ten megabytes pass and one byte more is refused, declared or chunked") {
  Platform platform;
  platform.Serve("shop", kEcho);
  const std::string body(10 * 1024 * 1024 + 1, 'x');
  const auto post = [&](size_t bytes, const std::string& field) {
    WriteFile(platform.state() + "/body", body.substr(0, bytes));
    const std::string at = "shop.gw.localhost:" + std::to_string(platform.http_port());
    return Run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", field, "--data-binary",
                "@" + platform.state() + "/body", "--resolve", at + ":127.0.0.1", "http://" + at + "/anything"})
        .out;
  };
  CHECK(post(body.size() - 1, "X-Nothing: 1") == "200");
  CHECK(post(body.size(), "X-Nothing: 1") == "413");
  CHECK(post(body.size() - 1, "Transfer-Encoding: chunked") == "200");
  CHECK(post(body.size(), "Transfer-Encoding: chunked") == "413");
}

TEST_CASE("malformed requests are refused and the node lives on") {
  Platform platform;
  platform.Serve("shop", kEcho);
  for (const char* bytes : {
           "GET / HTTP/1.1\nHost: shop.gw.localhost\n\n",
           "GET / HTTP/1.1\r\nHost: shop.gw.localhost\r\nHost: shop.gw.localhost\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: shop.gw.localhost\r\nContent-Length: 1\r\nTransfer-Encoding: "
           "chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: shop.gw.localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: shop.gw.localhost\r\nA : b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: shop.gw.localhost\r\nA: b\r\n c\r\n\r\n",
           "GET /\x01 HTTP/1.1\r\nHost: shop.gw.localhost\r\n\r\n",
           "GET / HTTP/9.9\r\nHost: shop.gw.localhost\r\n\r\n",
           "\x16\x03\x01\r\n\r\n",
       }) {
    INFO(bytes);
    WireClient client = platform.Connect();
    client.Send(bytes);
    const WireResponse answer = client.Read();
    CHECK(answer.status >= 400);
    CHECK(answer.status <= 505);
    CHECK(client.Closed());
  }
  CHECK(platform.Connect().Get("shop.gw.localhost", "/anything").status == 200);
}

}  // namespace
}  // namespace sluice::test
