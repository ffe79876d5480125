#include "data-plane/limit/request_window.h"

#include <deque>
#include <future>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::GatewayState;
using sluice::MonotonicTime;
using sluice::test::Node;
using namespace std::chrono_literals;

TEST_CASE("a gateway without a limit admits everything") {
  GatewayState state;
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(sluice::limit::AdmitRequest(state, MonotonicTime(1h)).has_value());
}

TEST_CASE("the request at the limit is admitted and the one past it is not") {
  GatewayState state;
  state.SetLimit(2);
  CHECK_FALSE(sluice::limit::AdmitRequest(state, MonotonicTime(1h)).has_value());
  CHECK_FALSE(sluice::limit::AdmitRequest(state, MonotonicTime(1h)).has_value());
  CHECK(sluice::limit::AdmitRequest(state, MonotonicTime(1h))->status == 429);
  CHECK_FALSE(sluice::limit::AdmitRequest(state, MonotonicTime(1h + 1s)).has_value());
}

TEST_CASE("what a limited client is told is enough to come back in time") {
  const sluice::Reply reply = sluice::limit::TooManyRequests(100, 1'000'001);
  CHECK(*reply.message == "API rate limit exceeded");
  std::vector<std::pair<std::string, std::string>> told;
  for (const auto& [name, value] : reply.fields) told.emplace_back(name, value);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"Retry-After", "2"},     {"X-RateLimit-Limit-Second", "100"}, {"X-RateLimit-Remaining-Second", "0"},
      {"RateLimit-Limit", "100"}, {"RateLimit-Remaining", "0"},        {"RateLimit-Reset", "2"}};
  CHECK(told == expected);
}

namespace {

// Time stands still, so that a second's worth of requests takes as long as it likes.
class StoppedClock final : public sluice::Clock {
 public:
  MonotonicTime Now() const override { return now_; }
  sluice::WallTime WallNow() const override { return sluice::WallTime(); }

 private:
  const MonotonicTime now_ = std::chrono::steady_clock::now();
};

int CountAnswered(sluice::test::WireClient& client, int requests, int status) {
  int count = 0;
  for (int i = 0; i < requests; ++i) count += client.Get("a.test", "/").status == status ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("two workers together admit exactly the limit within one second") {
  const StoppedClock clock;
  sluice::test::NodeOptions options{.workers = 2};
  options.options.clock = &clock;
  Node node(std::move(options));
  std::deque<sluice::test::WireClient> clients;
  std::vector<std::future<int>> counts;
  for (int i = 0; i < 8; ++i) {
    auto& client = clients.emplace_back(node.group().http_port());
    counts.push_back(std::async(std::launch::async, CountAnswered, std::ref(client), 20, 200));
  }
  int admitted = 0;
  for (auto& count : counts) admitted += count.get();
  CHECK(admitted == 100);
  CHECK(node.upstream().requests() == 100);
}

TEST_CASE("a limited request is answered 429 with its fields on a connection that lives on") {
  const StoppedClock clock;
  sluice::test::NodeOptions options{.gateway = R"(hosts: "a.test" plan { requests_per_second: 1 } routes { paths: "/" })"};
  options.options.clock = &clock;
  Node node(std::move(options));
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").status == 200);
  auto limited = client.Get("a.test", "/");
  CHECK(limited.status == 429);
  CHECK(limited.fields["retry-after"] == "1");
  CHECK(limited.fields["x-ratelimit-limit-second"] == "1");
  CHECK(limited.fields["ratelimit-remaining"] == "0");
  CHECK(client.Get("a.test", "/").status == 429);
  CHECK(node.stats().rejected["rate-limit"] == 2);
}
