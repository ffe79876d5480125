#include "data-plane/sync/applier.h"

#include "catch2/catch.hpp"
#include "tests/data-plane/sync/fixture.h"
#include "tests/support/process.h"

namespace sluice::sync {
namespace {

// Workers that swap at once.
class FakePublisher final : public Publisher {
 public:
  void Publish(std::vector<GatewayChange> changes, std::function<void()> done) override {
    ++publications;
    if (meanwhile) meanwhile();
    for (GatewayChange& change : changes) {
      if (change.gateway != nullptr) {
        served[change.gateway_id] = std::move(change.gateway);
      } else {
        served.erase(change.gateway_id);
      }
    }
    done();
  }
  void SetReady() override { ready = true; }

  std::map<std::string, std::shared_ptr<const Gateway>> served;
  std::function<void()> meanwhile;
  int publications = 0;
  bool ready = false;
};

v1::ControlMessage Welcome(const std::string& epoch, bool full, const std::string& protect = "") {
  v1::ControlMessage message;
  message.mutable_welcome()->set_epoch(epoch);
  message.mutable_welcome()->set_full(full);
  if (!protect.empty()) message.mutable_welcome()->mutable_fleet()->add_protect(protect);
  return message;
}
v1::ControlMessage Allowing(const std::string& range) {
  v1::ControlMessage message = Welcome("e", false);
  message.mutable_welcome()->mutable_fleet()->add_egress_allow(range);
  return message;
}

struct Node {
  explicit Node(CrashGuard* guard = nullptr) : guard(guard) {}
  CrashGuard* const guard;
  FakePublisher publisher;
  Status status;
  SystemClock clock;
  v1::Snapshot kept;
  int keeps = 0;
  Applier applier{{publisher, {}, status, clock, [this](std::function<std::string()> snapshot) {
                     kept.ParseFromString(snapshot());
                     ++keeps;
                   },
                   nullptr, guard}};

  // What is answered to each message: "applied 3; rejected a@2 EGRESS_DENIED; ".
  std::string Tell(std::initializer_list<v1::ControlMessage> messages) {
    std::string text;
    for (const v1::ControlMessage& message : messages) {
      for (const v1::NodeMessage& reply : applier.Handle(message)) {
        if (reply.has_applied()) text += "applied " + std::to_string(reply.applied().revision()) + "; ";
        if (!reply.has_rejected()) continue;
        const v1::Rejected& rejected = reply.rejected();
        text += "rejected " + rejected.gateway_id() + "@" + std::to_string(rejected.revision()) + " " +
                rejected.reason() + "; ";
      }
    }
    return text;
  }
  // "a1 b2": gateways and the versions served.
  std::string Served() const {
    std::string text;
    for (const auto& [id, gateway] : publisher.served) {
      text += (text.empty() ? "" : " ") + id + std::to_string(gateway->version());
    }
    return text;
  }
};

TEST_CASE("a node starts with nothing, and is ready when it has caught up") {
  Node node;
  CHECK(node.applier.Resume().epoch() == "");
  CHECK(node.applier.Resume().revision() == 0);
  CHECK(node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1))}) == "");
  CHECK_FALSE(node.publisher.ready);
  CHECK(node.Tell({CaughtUp(1)}) == "applied 1; ");
  CHECK(node.publisher.ready);
  CHECK(node.Served() == "a1");
  CHECK(node.applier.Resume().epoch() == "e");
  CHECK(node.applier.Resume().revision() == 1);
  CHECK(node.status.source == Status::Source::kStream);
}

TEST_CASE("updates before caught-up go to the workers together") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(2, "b", Config("b", 1)), CaughtUp(2)});
  CHECK(node.publisher.publications == 1);
  CHECK(node.status.gateways == 2);
}

TEST_CASE("an update is applied only where it is newer than what is held") {
  Node node;
  node.Tell({Welcome("e", true), Update(5, "a", Config("a", 2)), CaughtUp(5)});
  CHECK(node.Tell({Welcome("e", false), Update(4, "a", Config("a", 1)), Update(5, "a", Config("a", 9)), CaughtUp(5)}) ==
        "applied 5; ");
  CHECK(node.Served() == "a2");
}

TEST_CASE("a removed gateway is gone, and may come back") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(node.Tell({Removed(2, "a"), CaughtUp(2)}) == "applied 2; ");
  CHECK(node.Served() == "");
  node.Tell({Update(3, "a", Config("a", 3)), CaughtUp(3)});
  CHECK(node.Served() == "a3");
}

TEST_CASE("a full stream drops what it does not name, when it is caught up and not before") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(2, "b", Config("b", 1)), CaughtUp(2)});
  node.Tell({Welcome("f", true), Update(1, "b", Config("b", 7))});
  CHECK(node.Served() == "a1 b1");
  CHECK(node.Tell({CaughtUp(1)}) == "applied 1; ");
  CHECK(node.Served() == "b7");
}

TEST_CASE("a full stream that breaks off is asked for again from the beginning") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(9, "b", Config("b", 1)), CaughtUp(9)});
  node.Tell({Welcome("f", true), Update(2, "b", Config("b", 2))});
  CHECK(node.applier.Resume().revision() == 0);
  node.Tell({Welcome("f", true), Update(2, "b", Config("b", 2)), CaughtUp(2)});
  CHECK(node.Served() == "b2");
}

TEST_CASE("a gateway that does not compile keeps its last good version, and others go on") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(node.Tell({Update(2, "a", Config("a", 2, "127.0.0.1")), Update(3, "b", Config("b", 1)), CaughtUp(3)}) ==
        "rejected a@2 EGRESS_DENIED; applied 3; ");
  CHECK(node.Served() == "a1 b1");
  CHECK(node.status.rejected == 1);
  node.Tell({Update(4, "a", Config("a", 4)), CaughtUp(4)});
  CHECK(node.Served() == "a4 b1");
  CHECK(node.status.rejected == 0);
}

TEST_CASE("bytes that are no configuration, or another gateway's, are rejected") {
  Node node;
  CHECK(node.Tell({Welcome("e", true), Update(1, "a", "\xff\xff"), Update(2, "b", Config("c", 1)), CaughtUp(2)}) ==
        "rejected a@1 INVALID; rejected b@2 INVALID; applied 2; ");
  CHECK(node.Served() == "");
}

TEST_CASE("what the control plane cannot open leaves a gateway as it was, also when everything is sent anew") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(node.Tell({Update(2, "a", ""), CaughtUp(2)}) == "rejected a@2 UNREADABLE; applied 2; ");
  CHECK(node.Tell({Welcome("f", true), Update(1, "a", ""), CaughtUp(1)}) == "rejected a@1 UNREADABLE; applied 1; ");
  CHECK(node.Served() == "a1");
}

TEST_CASE("a rejection is repeated to whoever welcomes the node next") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1, "127.0.0.1")), CaughtUp(1)});
  CHECK(node.Tell({Welcome("e", false)}) == "rejected a@1 EGRESS_DENIED; ");
}

TEST_CASE("what was rejected is served once the fleet allows it") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1, "127.0.0.1")), CaughtUp(1)});
  CHECK(node.Tell({Allowing("127.0.0.1:80"), CaughtUp(1)}) == "applied 1; ");
  CHECK(node.Served() == "a1");
  CHECK(node.status.rejected == 0);
}

TEST_CASE("a gateway that stricter rules would refuse is reported, served on, and held to those rules") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1, "8.8.8.8")), CaughtUp(1)});
  CHECK(node.Tell({Welcome("e", false, "8.8.8.8"), CaughtUp(1)}) == "rejected a@1 EGRESS_DENIED; applied 1; ");
  CHECK(node.Served() == "a1");
  CHECK_FALSE(node.publisher.served["a"]->egress().Check(*egress::ParseAddress("8.8.8.8"), 80).allowed);
}

TEST_CASE("a batch is applied and reported at its maximum") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  std::string told;
  for (size_t i = 2; i <= Applier::kMaxBatch; ++i) told += node.Tell({Removed(static_cast<int64_t>(i), "x")});
  CHECK(told == "");
  CHECK(node.Tell({Removed(Applier::kMaxBatch + 1, "a")}) ==
        "applied " + std::to_string(Applier::kMaxBatch + 1) + "; ");
  CHECK(node.Served() == "");
}

TEST_CASE("what is served is kept after it has been applied, and only when it has changed") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(node.keeps == 1);
  node.Tell({Welcome("e", false), CaughtUp(1)});
  CHECK(node.keeps == 1);
  CHECK(node.kept.epoch() == "e");
  CHECK(node.kept.revision() == 1);
  CHECK(node.kept.gateways_size() == 1);
}

TEST_CASE("what is kept has what changed long ago, and not what is gone") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(2, "b", Config("b", 1)), CaughtUp(2)});
  node.Tell({Update(3, "c", Config("c", 1)), CaughtUp(3)});
  node.Tell({Removed(4, "b"), CaughtUp(4)});
  Node second;
  second.applier.Load(node.kept);
  CHECK(second.Served() == "a1 c1");
  second.Tell({Welcome("e", false), Update(5, "d", Config("d", 1)), CaughtUp(5)});
  CHECK(second.kept.gateways_size() == 3);
}

TEST_CASE("a function that makes a snapshot makes it of what is served by then") {
  std::function<std::string()> make;
  FakePublisher publisher;
  Status status;
  SystemClock clock;
  Applier applier{{publisher, {}, status, clock, [&](std::function<std::string()> latest) {
                     if (make == nullptr) make = std::move(latest);
                   }}};
  for (const v1::ControlMessage& message : {Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1),
                                            Update(2, "b", Config("b", 1)), CaughtUp(2)}) {
    applier.Handle(message);
  }
  v1::Snapshot snapshot;
  REQUIRE(snapshot.ParseFromString(make()));
  CHECK(snapshot.revision() == 2);
  CHECK(snapshot.gateways_size() == 2);
}

TEST_CASE("the kept cursor lies before what was rejected, so that it is sent again") {
  Node node;
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(2, "a", Config("a", 2, "127.0.0.1")),
             Update(3, "b", Config("b", 1)), CaughtUp(3)});
  CHECK(node.kept.revision() == 1);
  CHECK(node.kept.gateways_size() == 2);
}

TEST_CASE("a snapshot is served at once and resumed from") {
  Node first;
  first.Tell({Welcome("e", true, "203.0.113.9"), Update(4, "a", Config("a", 1)), CaughtUp(4)});
  Node second;
  second.applier.Load(first.kept);
  CHECK(second.publisher.ready);
  CHECK(second.Served() == "a1");
  CHECK(second.publisher.served["a"]->state().window()->limit() == 100);
  CHECK(second.status.source == Status::Source::kDisk);
  CHECK(second.applier.Resume().epoch() == "e");
  CHECK(second.applier.Resume().revision() == 4);
  CHECK(second.Tell({Welcome("e", false, "203.0.113.9"), Update(5, "a", Config("a", 2)), CaughtUp(5)}) ==
        "applied 5; ");
  CHECK(second.Served() == "a2");
}

TEST_CASE("a snapshot keeps serving what stricter rules would refuse today") {
  v1::Snapshot snapshot;
  snapshot.set_epoch("e");
  snapshot.set_revision(2);
  auto* gateway = snapshot.add_gateways();
  gateway->set_gateway_id("a");
  gateway->set_revision(2);
  gateway->set_config(Config("a", 1, "127.0.0.1"));
  Node node;
  node.applier.Load(snapshot);
  CHECK(node.Served() == "a1");
  CHECK(node.Tell({Welcome("e", false)}) == "rejected a@2 EGRESS_DENIED; ");
}

// A disk on which processes crashed while they tried these configurations of gateway a.
struct CrashedDisk {
  explicit CrashedDisk(std::initializer_list<std::string> configs) {
    for (const std::string& config : configs) {
      CrashGuard(folder.path(), "1")
          .Trying(std::vector{CrashGuard::Candidate{"a", 2, std::make_shared<const std::string>(config)}});
    }
  }
  test::TempDir folder;
};

TEST_CASE("a configuration is marked while it is tried, and not any more when every worker serves it") {
  CrashedDisk disk({});
  CrashGuard guard(disk.folder.path(), "1");
  Node node(&guard);
  bool marked = false;
  node.publisher.meanwhile = [&] { marked = !test::ReadFile(disk.folder / "trying").empty(); };
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1)});
  CHECK(marked);
  CHECK(test::ReadFile(disk.folder / "trying").empty());
}

TEST_CASE("what crashed the node once is tried alone and served when it is good") {
  const std::string bad = Config("a", 2);  // with ids of its own at every call
  CrashedDisk disk({bad});
  CrashGuard guard(disk.folder.path(), "1");
  Node node(&guard);
  const std::string told = node.Tell({Welcome("e", true), Update(1, "b", Config("b", 1)),
                                      Update(2, "a", bad), Update(3, "c", Config("c", 1)), CaughtUp(3)});
  CHECK(told == "applied 3; ");
  CHECK(node.publisher.publications == 3);
  CHECK(node.Served() == "a2 b1 c1");
}

TEST_CASE("what crashed the node twice is refused until it changes, and its gateway keeps the last good one") {
  const std::string bad = Config("a", 2);  // with ids of its own at every call
  CrashedDisk disk({bad, bad});
  CrashGuard guard(disk.folder.path(), "1");
  Node node(&guard);
  CHECK(node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), CaughtUp(1), Update(2, "a", bad),
                   Update(3, "b", Config("b", 1)), CaughtUp(3)}) == "applied 1; rejected a@2 CRASHED; applied 3; ");
  CHECK(node.Served() == "a1 b1");
  CHECK(node.kept.revision() == 1);  // so that the process after this one is sent it again, and refuses it again
  node.Tell({Update(4, "a", Config("a", 3)), CaughtUp(4)});
  CHECK(node.Served() == "a3 b1");
  CHECK(node.status.rejected == 0);
}

TEST_CASE("a snapshot that crashed the node twice is served without the gateway that did it") {
  const std::string bad = Config("a", 2);
  Node first;
  first.Tell({Welcome("e", true), Update(1, "a", bad), Update(2, "b", Config("b", 1)), CaughtUp(2)});
  CrashedDisk disk({bad, bad});
  CrashGuard guard(disk.folder.path(), "1");
  Node second(&guard);
  second.applier.Load(first.kept);
  CHECK(second.Served() == "b1");
  CHECK(second.Tell({Welcome("e", false)}) == "rejected a@1 CRASHED; ");
}

TEST_CASE("what crashed the node is not tried again when the fleet's rules change") {
  const std::string bad = Config("a", 2);  // with ids of its own at every call
  CrashedDisk disk({bad, bad});
  CrashGuard guard(disk.folder.path(), "1");
  Node node(&guard);
  node.Tell({Welcome("e", true), Update(1, "a", Config("a", 1)), Update(2, "a", bad), CaughtUp(2)});
  CHECK(node.Tell({Allowing("127.0.0.1:80"), CaughtUp(2)}) == "rejected a@2 CRASHED; applied 2; ");
  CHECK(node.Served() == "a1");
}

TEST_CASE("a message of a kind that this node does not know changes nothing") {
  Node node;
  CHECK(node.Tell({v1::ControlMessage()}) == "");
  CHECK(node.publisher.publications == 0);
}

}  // namespace
}  // namespace sluice::sync
