// The applier of a node that holds the configurations of its working set.

#include "catch2/catch.hpp"
#include "data-plane/sync/applier.h"
#include "tests/data-plane/sync/fixture.h"
#include "tests/support/hand_clock.h"

namespace sluice::sync {
namespace {

class FakePublisher final : public Publisher {
 public:
  void Publish(std::vector<GatewayChange> changes, std::function<void()> done) override {
    for (GatewayChange& change : changes) {
      ++published[change.gateway_id];
      served.erase(change.gateway_id);
      heads.erase(change.gateway_id);
      if (change.gateway != nullptr) served[change.gateway_id] = change.gateway;
      if (change.head != nullptr) heads[change.gateway_id] = change.head;
    }
    done();
  }
  void SetReady() override {}
  std::map<std::string, std::shared_ptr<const Gateway>> served;
  std::map<std::string, std::shared_ptr<const GatewayHead>> heads;
  std::map<std::string, int> published;
};

v1::ControlMessage Welcome(bool full, v1::Mode mode = v1::ON_DEMAND) {
  v1::ControlMessage message;
  message.mutable_welcome()->set_epoch("e");
  message.mutable_welcome()->set_full(full);
  message.mutable_welcome()->set_mode(mode);
  return message;
}
v1::ControlMessage Head(int64_t revision, const std::string& id, const std::string& host = "") {
  v1::ControlMessage message;
  message.mutable_update()->set_revision(revision);
  message.mutable_update()->set_gateway_id(id);
  message.mutable_update()->mutable_head()->add_hosts(host.empty() ? id + ".test" : host);
  message.mutable_update()->mutable_head()->set_requests_per_second(100);
  return message;
}
v1::ControlMessage Fetched(int64_t revision, const std::string& id, const std::string& config) {
  v1::ControlMessage message = Update(revision, id, config);
  message.mutable_update()->set_fetched(true);
  return message;
}

struct Node {
  explicit Node(size_t working_set = 1) : working_set(working_set) {}
  const size_t working_set;
  FakePublisher publisher;
  Status status;
  test::HandClock clock{std::chrono::hours(7)};
  Fetches fetches{clock, status};
  v1::Snapshot kept;
  Applier applier{{publisher, {}, status, clock,
                   [this](std::function<std::string()> make) { kept.ParseFromString(make()); }, nullptr, nullptr,
                   working_set, &fetches}};

  static std::string Text(const std::vector<v1::NodeMessage>& replies) {
    std::string text;
    for (const v1::NodeMessage& reply : replies) {
      if (reply.has_applied()) text += "applied " + std::to_string(reply.applied().revision()) + "; ";
      if (reply.has_rejected()) text += "rejected " + reply.rejected().gateway_id() + "; ";
      for (const std::string& id : reply.release().gateway_ids()) text += "released " + id + "; ";
    }
    return text;
  }
  std::string Tell(std::initializer_list<v1::ControlMessage> messages) {
    std::string text;
    for (const v1::ControlMessage& message : messages) text += Text(applier.Handle(message));
    return text;
  }
  std::string TidyAfter(Duration time) {
    clock.now += time;
    return Text(applier.Tidy());
  }
  // "a1 b": the versions of gateways that are served; others are known by their heads.
  std::string Known() const {
    std::map<std::string, std::string> texts;
    for (const auto& [id, gateway] : publisher.served) texts[id] = id + std::to_string(gateway->version());
    for (const auto& [id, head] : publisher.heads) texts[id] = id;
    std::string text;
    for (const auto& [id, one] : texts) text += (text.empty() ? "" : " ") + one;
    return text;
  }
  std::string Held() {
    const v1::Resume resume = applier.Resume();
    std::string text;
    for (const std::string& id : resume.held()) text += id;
    return text;
  }
};

TEST_CASE("a head is known, counts as applied, and is served when it has been fetched") {
  Node node;
  CHECK(node.Tell({Welcome(true), Head(1, "a"), Head(2, "b"), CaughtUp(2)}) == "applied 2; ");
  CHECK(node.Known() == "a b");
  CHECK(node.Tell({Fetched(1, "a", Config("a", 1))}) == "");
  CHECK(node.Known() == "a1 b");
  CHECK(node.Held() == "a");
  CHECK(node.applier.Resume().revision() == 2);
  CHECK(node.status.gateways == 1);
  CHECK(node.status.known == 2);
}

TEST_CASE("a head that changes nothing of the hosts disturbs no worker; one that does is published") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1)});
  CHECK(node.Tell({Head(2, "a"), CaughtUp(2)}) == "applied 2; ");
  CHECK(node.publisher.published["a"] == 1);
  node.Tell({Head(3, "a", "other.test"), CaughtUp(3)});
  CHECK(node.publisher.heads["a"]->hosts() == std::vector<std::string>{"other.test"});
}

TEST_CASE("what was fetched is not set back by what it overtook") {
  Node node;
  CHECK(node.Tell({Welcome(true), Head(1, "a"), Fetched(3, "a", Config("a", 3)), Head(2, "a"), CaughtUp(2)}) ==
        "applied 2; ");
  CHECK(node.Known() == "a3");
  CHECK(node.Tell({Update(3, "a", Config("a", 3)), CaughtUp(3)}) == "applied 3; ");
  CHECK(node.publisher.published["a"] == 1);
}

TEST_CASE("a fetched configuration that cannot be served is reported and asked for no more until it changes") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1)});
  node.fetches.Open();
  CHECK(node.fetches.Load("a"));
  CHECK(node.Tell({Fetched(1, "a", Config("a", 1, "127.0.0.1"))}) == "rejected a; released a; ");
  CHECK(node.Known() == "a");
  CHECK(node.publisher.published["a"] == 2);  // whoever waits is told
  CHECK_FALSE(node.fetches.Load("a"));
  node.Tell({Head(2, "a"), CaughtUp(2)});
  CHECK(node.fetches.Load("a"));
  CHECK(node.status.rejected == 0);
}

TEST_CASE("past the working set the longest unused is known by its head again, and its changes as well") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), Head(2, "b"), CaughtUp(2), Fetched(1, "a", Config("a", 1))});
  node.clock.now += std::chrono::seconds(1);
  node.Tell({Fetched(2, "b", Config("b", 1))});
  CHECK(node.TidyAfter(std::chrono::seconds(3)) == "");
  CHECK(node.TidyAfter(std::chrono::seconds(3)) == "released a; ");
  CHECK(node.Known() == "a b1");
  CHECK(node.status.evictions == 1);
  // Sent before the control plane heard of it.
  CHECK(node.Tell({Update(3, "a", Config("a", 2)), CaughtUp(3)}) == "applied 3; ");
  CHECK(node.Known() == "a b1");
}

TEST_CASE("a gateway that is loaded again soon has the window that it had") {
  Node node(1);
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1), Fetched(1, "a", Config("a", 1)),
             Fetched(2, "b", Config("b", 1))});
  const auto state = node.publisher.served["a"]->shared_state();
  node.publisher.served["b"]->state().requests_asked = 1;
  node.TidyAfter(std::chrono::seconds(4));
  REQUIRE(node.TidyAfter(std::chrono::seconds(4)) == "released a; ");
  node.Tell({Fetched(1, "a", Config("a", 1))});
  CHECK(node.publisher.served["a"]->shared_state() == state);
}

TEST_CASE("the state goes when it tells of nothing any more, and stays while a plugin counts") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1), Fetched(1, "a", Config("a", 1)),
             Fetched(2, "b", Config("b", 1))});
  const std::weak_ptr<GatewayState> states[] = {node.publisher.served["a"]->shared_state(),
                                                node.publisher.served["b"]->shared_state()};
  const Counters::Window window{.start = -1000, .end = 1000, .limit = 5};
  states[1].lock()->plugin_counters().CountIfBelow("key", &window, 1);
  node.Tell({Head(3, "a"), Head(4, "b"), CaughtUp(4)});
  CHECK(node.Known() == "a b");
  node.TidyAfter(WorkingSet::kMinUnused);
  CHECK(states[0].expired());
  CHECK_FALSE(states[1].expired());
}

TEST_CASE("nothing is let go of while no control plane is there") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1), Fetched(1, "a", Config("a", 1)),
             Fetched(2, "b", Config("b", 1))});
  node.applier.Disconnected();
  CHECK(node.TidyAfter(std::chrono::hours(1)) == "");
  CHECK(node.Known() == "a1 b1");
}

TEST_CASE("the disk has what is held and the heads of the rest, and a node starts with both") {
  Node first;
  first.Tell({Welcome(true), Head(1, "a"), Head(2, "b"), CaughtUp(2), Fetched(1, "a", Config("a", 1))});
  first.applier.Tidy();
  CHECK(first.kept.gateways_size() == 1);
  CHECK(first.kept.heads_size() == 1);
  Node second;
  second.applier.Load(first.kept);
  CHECK(second.Known() == "a1 b");
  CHECK(second.applier.Resume().revision() == 2);
  CHECK(second.Held() == "a");
}

TEST_CASE("a node that wants everything, or an older one, is sent everything if its disk has heads") {
  Node first;
  first.Tell({Welcome(true), Head(1, "a"), CaughtUp(1)});
  CHECK(first.kept.revision() == 0);
  Node eager(0);
  eager.applier.Load(first.kept);
  CHECK(eager.applier.Resume().revision() == 0);
  CHECK(eager.Known() == "a");
  eager.Tell({Welcome(true, v1::EAGER), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(eager.Known() == "a1");
}

TEST_CASE("a control plane that knows no heads is asked for everything") {
  Node node;
  node.Tell({Welcome(true), Head(1, "a"), CaughtUp(1)});
  node.Tell({Welcome(false, v1::EAGER)});
  CHECK(node.applier.MustStartAnew());
  CHECK(node.applier.Resume().revision() == 0);
  CHECK_FALSE(node.applier.MustStartAnew());
  CHECK(node.Tell({Welcome(true, v1::EAGER), Update(1, "a", Config("a", 1)), CaughtUp(1)}) == "applied 1; ");
  CHECK(node.Known() == "a1");
  CHECK(node.TidyAfter(std::chrono::hours(1)) == "");
}

}  // namespace
}  // namespace sluice::sync
