// Requests for gateways that the node knows by their heads.

#include <atomic>
#include <future>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

namespace sluice::test {
namespace {

constexpr char kId[] = "11111111-1111-4111-8111-111111111111";
const std::string kConfig = std::string("id: \"") + kId + R"(" hosts: "b.test" routes { paths: "/" })";
const std::string kAsk = "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n";

class Loader final : public GatewayLoader {
 public:
  bool Load(const std::string& gateway_id) override {
    asked += gateway_id == kId ? 1 : 0;
    return can;
  }
  std::atomic<int> asked{0};
  std::atomic<bool> can{true};
};

struct Heads {
  explicit Heads(std::chrono::milliseconds patience = std::chrono::seconds(30), int workers = 1)
      : node(Options(loader, patience, workers)) {
    Tell(std::make_shared<const GatewayHead>(kId, std::vector<std::string>{"b.test"}));
  }
  static NodeOptions Options(Loader& loader, std::chrono::milliseconds patience, int workers) {
    NodeOptions options;
    options.workers = workers;
    options.options.loader = &loader;
    options.options.times.gateway_load = patience;
    options.options.max_connections = options.options.max_connections_per_address = 2 * proxy::kMaxLoadWaits;
    return options;
  }
  void Tell(std::shared_ptr<const GatewayHead> head) {
    std::promise<void> done;
    node.group().Publish({{kId, nullptr, std::move(head)}}, [&] { done.set_value(); });
    done.get_future().wait();
  }
  Loader loader;
  Node node;
};

TEST_CASE("a request waits until its gateway is loaded, and its body with it") {
  Heads heads;
  WireClient client = heads.node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: b.test\r\nContent-Length: 5\r\n\r\nhello");
  REQUIRE(Eventually([&] { return heads.loader.asked == 1; }));
  CHECK(heads.node.upstream().requests() == 0);
  heads.node.Publish(kConfig);
  CHECK(client.Read().status == 200);
  CHECK(heads.node.upstream().last().ends_with("\r\n\r\nhello"));
  CHECK(heads.node.Ask(kAsk).status == 200);
  CHECK(heads.loader.asked == 1);
  CHECK(heads.node.stats().loads_awaited == 1);
}

TEST_CASE("a gateway that is not loaded in time is 503, to be asked for again") {
  Heads heads(std::chrono::milliseconds(20));
  const WireResponse response = heads.node.Ask(kAsk);
  CHECK(response.status == 503);
  CHECK(response.fields.at("retry-after") == "1");
  CHECK(response.body.find("the gateway is not loaded yet") != std::string::npos);
  CHECK(heads.node.stats().rejected["not-loaded"] == 1);
  CHECK(heads.node.stats().loads_timed_out == 1);
}

TEST_CASE("a request that was refused because its gateway was not loaded is in the gateway's usage") {
  Heads heads(std::chrono::milliseconds(20));
  CHECK(heads.node.Ask(kAsk).status == 503);
  heads.node.Publish(kConfig);
  CHECK(heads.node.Ask(kAsk).status == 200);
  const proxy::GatewayCounts counts = heads.node.stats().gateways[kId];
  CHECK(counts.requests() == 2);
  CHECK(counts.requests_by_class[5] == 1);
  CHECK(counts.refused == 1);
}

TEST_CASE("a gateway that cannot be loaded is 503 at once, never 404") {
  Heads heads;
  heads.loader.can = false;
  CHECK(heads.node.Ask(kAsk).status == 503);
  CHECK(heads.node.stats().loads_timed_out == 0);
}

TEST_CASE("what was refused or removed while requests wait for it is told to them at once") {
  Heads heads;
  WireClient first = heads.node.Connect();
  first.Send(kAsk);
  REQUIRE(Eventually([&] { return heads.loader.asked == 1; }));
  heads.Tell(std::make_shared<const GatewayHead>(kId, std::vector<std::string>{"b.test"}));
  CHECK(first.Read().status == 503);
  WireClient second = heads.node.Connect();
  second.Send(kAsk);
  REQUIRE(Eventually([&] { return heads.loader.asked == 2; }));
  heads.node.Remove(kId);
  CHECK(second.Read().status == 404);
}

TEST_CASE("so many requests of a worker wait, and no more") {
  Heads heads;
  std::vector<std::unique_ptr<WireClient>> waiting;
  for (size_t i = 0; i < proxy::kMaxLoadWaits; ++i) {
    waiting.push_back(std::make_unique<WireClient>(heads.node.group().http_port()));
    waiting.back()->Send(kAsk);
  }
  REQUIRE(Eventually([&] { return heads.loader.asked == static_cast<int>(proxy::kMaxLoadWaits); }));
  CHECK(heads.node.Ask(kAsk).status == 503);
  CHECK(heads.node.stats().rejected["load-waits"] == 1);
}

TEST_CASE("an evicted gateway's hosts stay known") {
  Heads heads;
  heads.node.Publish(kConfig);
  CHECK(heads.node.Ask(kAsk).status == 200);
  heads.Tell(std::make_shared<const GatewayHead>(kId, std::vector<std::string>{"b.test"}));
  heads.loader.can = false;
  CHECK(heads.node.Ask(kAsk).status == 503);
  CHECK(heads.node.stats().gateways_served == 1);
}

TEST_CASE("a gateway at rest counts as served, and of those awake there are less") {
  Loader loader;
  NodeOptions options = Heads::Options(loader, std::chrono::seconds(30), 1);
  options.options.are_heads_served = true;
  Node node(options);
  std::promise<void> done;
  const auto head = std::make_shared<const GatewayHead>(kId, std::vector<std::string>{"b.test"});
  node.group().Publish({{kId, nullptr, head}}, [&] { done.set_value(); });
  done.get_future().wait();
  CHECK(node.stats().gateways_served == 2);
  CHECK(node.stats().gateways_awake == 1);
}

}  // namespace
}  // namespace sluice::test
