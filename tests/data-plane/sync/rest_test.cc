// The applier of a node that holds every configuration and has those rest that nobody asks for.

#include <thread>

#include "catch2/catch.hpp"
#include "data-plane/sync/waker.h"
#include "tests/data-plane/sync/fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/hand_clock.h"
#include "tests/support/process.h"

namespace sluice::sync {
namespace {

class FakePublisher final : public Publisher {
 public:
  void Publish(std::vector<GatewayChange> changes, std::function<void()> done) override {
    ++publications;
    for (GatewayChange& change : changes) {
      ++published[change.gateway_id];
      awake.erase(change.gateway_id);
      resting.erase(change.gateway_id);
      if (change.gateway != nullptr) {
        awake[change.gateway_id] = change.gateway;
      } else if (change.head != nullptr) {
        resting[change.gateway_id] = change.head;
      }
    }
    if (meanwhile) meanwhile();
    done();
  }
  void SetReady() override {}
  std::map<std::string, std::shared_ptr<const Gateway>> awake;
  std::map<std::string, std::shared_ptr<const GatewayHead>> resting;
  std::map<std::string, int> published;
  std::function<void()> meanwhile;
  int publications = 0;
};

v1::ControlMessage Welcome(bool full, const std::string& protect = "") {
  v1::ControlMessage message;
  message.mutable_welcome()->set_epoch("e");
  message.mutable_welcome()->set_full(full);
  if (!protect.empty()) message.mutable_welcome()->mutable_fleet()->add_protect(protect);
  return message;
}
std::string Edited(const std::string& id, int version, const std::function<void(config::v1::GatewayConfig&)>& edit) {
  config::v1::GatewayConfig config;
  config.ParseFromString(Config(id, version));
  edit(config);
  schema::Violations violations;
  config::Complete(config, violations);
  return config::ToBytes(config);
}

struct Node {
  explicit Node(CrashGuard* guard = nullptr, const std::string& build = "b") : guard(guard), build(build) {}
  CrashGuard* const guard;
  const std::string build;
  FakePublisher publisher;
  Status status;
  test::HandClock clock{std::chrono::hours(7)};
  Wakes wakes;
  v1::Snapshot kept;
  Applier applier{{.publisher = publisher,
                   .plugins = {},
                   .status = status,
                   .clock = clock,
                   .changed = [this](std::function<std::string()> make) { kept.ParseFromString(make()); },
                   .guard = guard,
                   .wakes = &wakes,
                   .rest = {.awake = 1, .after = std::chrono::seconds(60)},
                   .build = build}};

  // "applied 3; rejected a; ".
  std::string Tell(std::initializer_list<v1::ControlMessage> messages) {
    std::string text;
    for (const v1::ControlMessage& message : messages) {
      for (const v1::NodeMessage& reply : applier.Handle(message)) {
        if (reply.has_applied()) text += "applied " + std::to_string(reply.applied().revision()) + "; ";
        if (reply.has_rejected()) text += "rejected " + reply.rejected().gateway_id() + "; ";
      }
    }
    return text;
  }
  void Ask(const std::string& id) {
    wakes.Load(id);
    applier.Awaken();
  }
  // "a1 b2 (c)": awake, with their versions, and at rest.
  std::string Now() const {
    std::string text;
    for (const auto& [id, gateway] : publisher.awake) text += id + std::to_string(gateway->version()) + " ";
    for (const auto& [id, head] : publisher.resting) text += "(" + id + ") ";
    return text.substr(0, text.empty() ? 0 : text.size() - 1);
  }
};

struct Three : Node {
  Three() {
    Tell({Welcome(true), Update(1, "a", Config("a", 1)), Update(2, "b", Config("b", 1)), Update(3, "c", Config("c", 1)),
          CaughtUp(3)});
  }
};

TEST_CASE("gateways beyond those that are awake in any case rest from the beginning, and count as served") {
  Three node;
  CHECK(node.Now() == "a1 (b) (c)");
  CHECK(node.publisher.resting["b"]->hosts() == std::vector<std::string>{"b.test"});
  CHECK(node.status.gateways == 3);
  CHECK(node.kept.gateways_size() == 3);
}

TEST_CASE("a gateway is awakened by who asks for it, once, and keeps its state") {
  Three node;
  node.Ask("b");
  CHECK(node.Now() == "a1 b1 (c)");
  CHECK(node.status.wakes == 1);
  const auto state = node.publisher.awake["b"]->shared_state();
  node.Ask("b");
  CHECK(node.publisher.published["b"] == 2);
  node.clock.now += std::chrono::seconds(61);
  node.applier.LetRest();
  node.clock.now += std::chrono::seconds(61);
  node.applier.LetRest();
  node.Ask("b");
  CHECK(node.publisher.awake["b"]->shared_state() == state);
}

TEST_CASE("what nobody has asked for rests again, the longest unused first; what is in use does not") {
  Three node;
  node.Ask("b");
  node.Ask("c");
  node.clock.now += std::chrono::seconds(59);
  node.publisher.awake["c"]->state().requests_asked = 1;
  node.publisher.awake["a"]->state().requests_in_flight = 1;
  node.applier.LetRest();
  CHECK(node.Now() == "a1 b1 c1");
  node.clock.now += std::chrono::seconds(1);
  node.applier.LetRest();
  CHECK(node.Now() == "a1 c1 (b)");
  node.publisher.awake["a"]->state().requests_in_flight = 0;
  node.clock.now += std::chrono::seconds(60);
  node.applier.LetRest();
  node.clock.now += std::chrono::seconds(60);
  node.applier.LetRest();
  CHECK(node.publisher.awake.size() == 1);
}

TEST_CASE("a change of what rests is tried when it comes, tells workers nothing, and is what is awakened") {
  Three node;
  const int before = node.publisher.publications;
  CHECK(node.Tell({Update(4, "b", Config("b", 2)), CaughtUp(4)}) == "applied 4; ");
  CHECK(node.publisher.publications == before);
  node.Ask("b");
  CHECK(node.Now() == "a1 b2 (c)");
  CHECK(node.Tell({Update(5, "b", Config("b", 3)), CaughtUp(5)}) == "applied 5; ");
  CHECK(node.Now() == "a1 b3 (c)");
}

TEST_CASE("a change that is refused is reported while the gateway rests, and the last good one is awakened") {
  Three node;
  CHECK(node.Tell({Update(4, "b", Config("b", 2, "127.0.0.1")), CaughtUp(4)}) == "rejected b; applied 4; ");
  node.Ask("b");
  CHECK(node.Now() == "a1 b1 (c)");
}

TEST_CASE("what rests is awakened when its hosts change, since requests may wait for news of it") {
  Three node;
  node.Tell({Update(4, "b", Edited("b", 2, [](auto& config) { config.set_hosts(0, "new.test"); })), CaughtUp(4)});
  CHECK(node.Now() == "a1 b2 (c)");
  CHECK(node.publisher.awake["b"]->hosts() == std::vector<std::string>{"new.test"});
}

TEST_CASE("what rests can be removed, and asking for it then awakens nothing") {
  Three node;
  node.Tell({Removed(4, "b"), CaughtUp(4)});
  CHECK(node.Now() == "a1 (c)");
  node.Ask("b");
  CHECK(node.Now() == "a1 (c)");
  CHECK(node.status.wakes == 0);
}

TEST_CASE("health checks and large configurations keep a gateway awake") {
  Three node;
  const auto checked = [](config::v1::GatewayConfig& config) {
    auto* upstream = config.add_upstreams();
    upstream->set_name("pool");
    upstream->mutable_healthchecks()->mutable_active()->mutable_healthy()->set_interval(1);
  };
  const auto large = [](config::v1::GatewayConfig& config) {
    for (int i = 0; i < 300; ++i) {
      auto* route = config.add_routes();
      route->set_name(std::string(100, 'r') + std::to_string(i));
      route->add_paths("/" + std::to_string(i));
    }
  };
  node.Tell({Update(4, "b", Edited("b", 2, checked)), Update(5, "c", Edited("c", 2, large)), CaughtUp(5)});
  CHECK(node.Now() == "a1 b2 c2");
  node.clock.now += std::chrono::hours(1);
  node.applier.LetRest();
  node.clock.now += std::chrono::hours(1);
  node.applier.LetRest();
  CHECK(node.Now() == "a1 b2 c2");
}

TEST_CASE("what requests wait for is looked after between changes, not behind them") {
  Three node;
  const auto checked = [](config::v1::GatewayConfig& config) {
    auto* upstream = config.add_upstreams();
    upstream->set_name("pool");
    upstream->mutable_healthchecks()->mutable_active()->mutable_healthy()->set_interval(1);
  };
  size_t served_then = 0;
  node.publisher.meanwhile = [&] {
    if (node.status.wakes == 0) node.wakes.Load("b");
    if (served_then == 0 && node.publisher.awake.contains("b")) served_then = node.publisher.awake.size();
  };
  for (int i = 0; i < 3 * static_cast<int>(Applier::kMaxTried); ++i) {
    const std::string id = "x" + std::to_string(i);
    node.Tell({Update(10 + i, id, Edited(id, 1, checked))});
  }
  node.Tell({CaughtUp(1000)});
  CHECK(served_then > 0);
  CHECK(served_then <= Applier::kMaxTried + 2);
  CHECK(node.publisher.awake.size() == 3 * Applier::kMaxTried + 2);
}

TEST_CASE("what workers ask for on their threads is awakened while changes come on another") {
  Node node;
  constexpr int kGateways = 100;
  const auto id_of = [](int number) { return "x" + std::to_string(number); };
  for (int i = 0; i < kGateways; ++i) node.Tell({Update(1 + i, id_of(i), Config(id_of(i), 1))});
  node.Tell({CaughtUp(kGateways)});
  {
    Waker waker(node.applier, node.wakes, {});
    std::thread worker([&] {
      for (int i = 0; i < kGateways; i += 2) node.wakes.Load(id_of(i));
    });
    for (int i = 0; i < kGateways; ++i) {
      node.Tell({Update(1000 + i, id_of(i), Config(id_of(i), 2)), CaughtUp(1000 + i)});
    }
    worker.join();
    CHECK(test::Eventually([&] { return node.status.wakes == kGateways / 2 - 1; }));
  }
  CHECK(node.publisher.awake.size() == kGateways / 2);
  for (const auto& [id, gateway] : node.publisher.awake) CHECK(gateway->version() == 2);
}

TEST_CASE("what was found good by this build rests from the disk on without being compiled") {
  Three first;
  Node second;
  second.applier.Load(first.kept);
  CHECK(second.publisher.awake.size() == 1);
  CHECK(second.publisher.resting.size() == 2);
  const std::string id = second.publisher.resting.begin()->first;
  second.Ask(id);
  CHECK(second.publisher.awake[id]->version() == 1);
  CHECK(second.publisher.awake[id]->state().window()->limit() == 100);
  CHECK(second.Tell({Welcome(false), Update(4, "a", Config("a", 2)), Update(5, "b", Config("b", 2)), CaughtUp(5)}) ==
        "applied 5; ");
  second.Ask("a");
  second.Ask("b");
  CHECK(second.publisher.awake["a"]->version() == 2);
  CHECK(second.publisher.awake["b"]->version() == 2);
}

// What the control plane says it found good, by the rules that it names, and what is not: its service has no host.
v1::ControlMessage Good(v1::ControlMessage update) {
  update.mutable_update()->set_good(true);
  return update;
}
v1::ControlMessage Under(v1::ControlMessage welcome, const std::string& rules) {
  welcome.mutable_welcome()->set_rules(rules);
  return welcome;
}
std::string Bad(const std::string& id) {
  return Edited(id, 1, [](config::v1::GatewayConfig& config) { config.mutable_services(0)->clear_host(); });
}
const std::string kRules = config::RulesId("b", {});

TEST_CASE("what the control plane found good by the same rules rests at once, and is looked at when it is asked for") {
  Node node;
  node.Tell({Under(Welcome(true), kRules), Good(Update(1, "a", Config("a", 1))), CaughtUp(1)});
  const auto b = Good(Update(2, "b", Config("b", 1))), c = Good(Update(3, "c", Bad("c")));
  CHECK(node.Tell({b, c, CaughtUp(3)}) == "applied 3; ");
  CHECK(node.Now() == "a1 (b) (c)");
  CHECK(node.status.updates == 3);
  CHECK(node.status.gateways == 3);
  CHECK(node.kept.gateways_size() == 3);
  node.Ask("b");
  CHECK(node.Now() == "a1 b1 (c)");
  CHECK(node.publisher.awake["b"]->state().window()->limit() == 100);
  CHECK(node.Tell({Removed(4, "b"), CaughtUp(4)}) == "applied 4; ");
  CHECK(node.Now() == "a1 (c)");
}

TEST_CASE("without that word, or by other rules, everything is looked at when it comes") {
  const auto told = [](const v1::ControlMessage& welcome, const v1::ControlMessage& update) {
    Node node;
    node.Tell({welcome, Good(Update(1, "a", Config("a", 1))), CaughtUp(1)});
    return node.Tell({update, CaughtUp(2)});
  };
  CHECK(told(Under(Welcome(true), kRules), Good(Update(2, "b", Bad("b")))) == "applied 2; ");
  CHECK(told(Under(Welcome(true), kRules), Update(2, "b", Bad("b"))) == "rejected b; applied 2; ");
  CHECK(told(Welcome(true), Good(Update(2, "b", Bad("b")))) == "rejected b; applied 2; ");
  CHECK(told(Under(Welcome(true), config::RulesId("c", {})), Good(Update(2, "b", Bad("b")))) ==
        "rejected b; applied 2; ");
  CHECK(told(Under(Welcome(true, "8.8.8.8"), kRules), Good(Update(2, "b", Bad("b")))) == "rejected b; applied 2; ");
}

TEST_CASE("what is no configuration, or may have to work without a request, is looked at whoever found it good") {
  Node node;
  node.Tell({Under(Welcome(true), kRules), Good(Update(1, "a", Config("a", 1))), CaughtUp(1)});
  CHECK(node.Tell({Good(Update(2, "b", "not a configuration")), CaughtUp(2)}) == "rejected b; applied 2; ");
  CHECK(node.Tell({Good(Update(3, "c", Config("b", 1))), CaughtUp(3)}) == "rejected c; applied 3; ");
  const std::string checked = Edited("d", 1, [](config::v1::GatewayConfig& config) {
    config.add_upstreams()->set_name("u");
    config.mutable_services(0)->clear_host();
  });
  CHECK(node.Tell({Good(Update(4, "d", checked)), CaughtUp(4)}) == "rejected d; applied 4; ");
}

TEST_CASE("a change of a gateway that is served is looked at when it comes, so that the last good one is served on") {
  Node node;
  node.Tell({Under(Welcome(true), kRules), Good(Update(1, "a", Config("a", 1))), CaughtUp(1)});
  node.Tell({Good(Update(2, "b", Config("b", 1))), CaughtUp(2)});
  CHECK(node.Tell({Good(Update(3, "b", Bad("b"))), CaughtUp(3)}) == "rejected b; applied 3; ");
  node.Ask("b");
  CHECK(node.Now() == "a1 b1");
}

TEST_CASE("of two changes of a new gateway the later one counts, and of a removal and what follows it too") {
  Node node;
  node.Tell({Under(Welcome(true), kRules), Good(Update(1, "a", Config("a", 1))), CaughtUp(1)});
  node.Tell({Good(Update(2, "b", Config("b", 1))), Good(Update(3, "b", Config("b", 2)))});
  node.Tell({Good(Update(4, "c", Config("c", 1))), Removed(5, "c")});
  node.Tell({Removed(6, "d"), Good(Update(7, "d", Config("d", 1))), CaughtUp(7)});
  node.Ask("b");
  CHECK(node.Now() == "a1 b2 (d)");
}

TEST_CASE("another build looks at everything that the disk has") {
  Three first;
  for (v1::GatewayUpdate& gateway : *first.kept.mutable_gateways()) gateway.set_config("not a configuration");
  Node same, other(nullptr, "c");
  same.applier.Load(first.kept);
  CHECK(same.publisher.resting.size() == 2);
  other.applier.Load(first.kept);
  CHECK(other.publisher.resting.empty());
  CHECK(other.status.rejected == 3);
}

TEST_CASE("other rules of the fleet are asked of what rests, and it is served on") {
  Three node;
  node.Tell({Update(4, "b", Config("b", 2, "8.8.8.8")), CaughtUp(4)});
  CHECK(node.Tell({Welcome(false, "8.8.8.8"), CaughtUp(4)}) == "rejected b; applied 4; ");
  CHECK(node.kept.revision() == 3);
  node.Ask("b");
  CHECK(node.Now() == "a1 b2 (c)");
  Node second;
  second.applier.Load(node.kept);
  CHECK(second.Tell({Welcome(false, "8.8.8.8")}) == "rejected b; ");
}

TEST_CASE("what does not compile any more when it is asked for is told to who waits") {
  Three first;
  for (v1::GatewayUpdate& gateway : *first.kept.mutable_gateways()) gateway.set_config("not a configuration");
  Node second;
  second.applier.Load(first.kept);
  const std::string id = second.publisher.resting.begin()->first;
  second.Ask(id);
  CHECK(second.publisher.published[id] == 2);
  CHECK_FALSE(second.publisher.awake.contains(id));
}

TEST_CASE("what crashed the node when it was awakened is tried alone and with the workers at the next start") {
  test::TempDir folder;
  Three first;
  const v1::GatewayUpdate last_one = first.kept.gateways(2);
  const std::string suspect = last_one.gateway_id();
  const CrashGuard::Candidate tried{suspect, 3, std::make_shared<const std::string>(last_one.config())};
  CrashGuard(folder.path(), "b").Trying({&tried, 1});
  {
    CrashGuard guard(folder.path(), "b");
    Node node(&guard);
    node.applier.Load(first.kept);
    CHECK(node.publisher.awake.contains(suspect));
    CHECK(node.publisher.resting.size() == 1);
  }
  for (int crash = 0; crash < CrashGuard::kMaxCrashes; ++crash) CrashGuard(folder.path(), "b").Trying({&tried, 1});
  CrashGuard guard(folder.path(), "b");
  Node node(&guard);
  node.applier.Load(first.kept);
  CHECK_FALSE(node.publisher.awake.contains(suspect));
  CHECK_FALSE(node.publisher.resting.contains(suspect));
}

}  // namespace
}  // namespace sluice::sync
