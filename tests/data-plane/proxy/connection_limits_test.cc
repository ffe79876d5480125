// How many connections clients may hold: in all, an address, a gateway.

#include "data-plane/proxy/connection_limits.h"

#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using namespace sluice::proxy;
using sluice::test::Node;
using sluice::test::NodeOptions;

namespace {

constexpr const char* kOther = R"(id: "22222222-2222-4222-8222-222222222222" hosts: "b.test" routes { paths: "/" })";

NodeOptions Gateways(size_t max_per_gateway) {
  NodeOptions options;
  options.more_gateways = {kOther};
  options.workers = 2;
  options.options.max_connections_per_gateway = max_per_gateway;
  return options;
}

}  // namespace

TEST_CASE("connections are counted for each address and in all") {
  ConnectionLimits limits({.total = 3, .per_address = 2, .per_gateway = 1});
  Admission first(limits), second(limits), third(limits), fourth(limits);
  CHECK((first.Enter() && first.EnterAddress("a")));
  {
    Admission gone(limits);
    CHECK((gone.Enter() && gone.EnterAddress("a")));
    CHECK((second.Enter() && !second.EnterAddress("a") && second.EnterAddress("b")));
    CHECK_FALSE(third.Enter());
  }
  CHECK((third.Enter() && third.EnterAddress("a")));
  CHECK_FALSE(fourth.Enter());
}

TEST_CASE("clients get half the descriptors that the process may open") {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(ConnectionLimits::HalfTheDescriptors() == limit.rlim_cur / 2);
}

TEST_CASE("what an admission has counted goes with it when it moves") {
  ConnectionLimits limits({.total = 1, .per_address = 1, .per_gateway = 1});
  {
    Admission first(limits);
    CHECK((first.Enter() && first.EnterAddress("a")));
    Admission moved(std::move(first));
    CHECK_FALSE(Admission(limits).Enter());
  }
  Admission next(limits);
  CHECK((next.Enter() && next.EnterAddress("a")));
}

TEST_CASE("connections that come and go on many threads never exceed an address's limit") {
  ConnectionLimits limits({.total = 100, .per_address = 3, .per_gateway = 1});
  std::atomic<int> held{0}, most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5'000; ++round) {
        Admission one(limits), two(limits);
        const int now = one.Enter() + two.Enter() == 2 ? one.EnterAddress("a") + two.EnterAddress("a") : 0;
        const int all = held.fetch_add(now) + now;
        if (all > most) most = all;
        held.fetch_sub(now);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 3);
}

TEST_CASE("the connection at a gateway's limit is served and the one past it closed, others are not concerned") {
  Node node(Gateways(2));
  auto first = node.Connect();
  auto second = node.Connect();
  CHECK(first.Get("a.test", "/").status == 200);
  CHECK(second.Get("a.test", "/").status == 200);
  auto third = node.Connect();
  CHECK(third.Get("a.test", "/").status == 0);
  CHECK(third.Closed());
  CHECK(first.Get("a.test", "/").status == 200);
  CHECK(node.Connect().Get("b.test", "/").status == 200);
  const Stats stats = node.stats();
  CHECK(stats.connections_refused_gateway == 1);
  CHECK(stats.rejected.at("gateway-connections") == 1);
}

TEST_CASE("a connection counts for the gateway that its last request named") {
  Node node(Gateways(1));
  auto first = node.Connect();
  CHECK(first.Get("a.test", "/").status == 200);
  CHECK(first.Get("b.test", "/").status == 200);
  auto second = node.Connect();
  CHECK(second.Get("a.test", "/").status == 200);
  CHECK(second.Get("b.test", "/").status == 0);
  CHECK(node.stats().connections_refused_gateway == 1);
}

TEST_CASE("a gateway's connections go on counting when its configuration changes") {
  Node node(Gateways(1));
  auto first = node.Connect();
  CHECK(first.Get("b.test", "/").status == 200);
  node.Publish(kOther);
  CHECK(first.Get("b.test", "/").status == 200);
  CHECK(node.Connect().Get("b.test", "/").status == 0);
}
