#include "control-plane/admin/change.h"

#include "absl/strings/str_cat.h"
#include "control-plane/admin/wait.h"
#include "google/rpc/error_details.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using admin::Changed;
using config::v1::GatewayConfig;
using test::Plane;

namespace {

admin::Edit AddService(const std::string& name) {
  return [name](const GatewayConfig&, GatewayConfig& wanted, schema::Violations&) {
    auto& service = *wanted.add_services();
    service.set_name(name);
    service.set_host("example.com");
    return absl::OkStatus();
  };
}

absl::StatusOr<Changed> Change(Plane& plane, const admin::Edit& edit, bool dry_run = false) {
  admin::Call call = Plane::NewCall();
  return admin::ChangeConfig(plane.deps, call, {"shop", "why", dry_run}, edit);
}

}  // namespace

TEST_CASE("a change makes the next version with its rows, author and message") {
  Plane plane;
  plane.Gateway("shop");
  const auto changed = Change(plane, AddService("a"));
  REQUIRE(changed.ok());
  CHECK(changed->version == 2);
  const store::Write write = plane.store.writes().back();
  CHECK(write.expected_version == 1);
  CHECK(write.author == "olga");
  CHECK(write.message == "why");
  REQUIRE(write.entities.size() == 1);
  CHECK(write.entities[0].kind == "service");
  CHECK(write.entities[0].name == "a");
}

TEST_CASE("the index knows a change when it returns") {
  Plane plane;
  plane.Gateway("shop");
  const auto changed = Change(plane, AddService("a"));
  CHECK(plane.index.head() == changed->revision);
}

TEST_CASE("an edit that changes nothing commits nothing") {
  Plane plane;
  plane.Gateway("shop");
  const auto nothing = [](const auto&, auto&, auto&) { return absl::OkStatus(); };
  const auto changed = Change(plane, nothing);
  REQUIRE(changed.ok());
  CHECK(changed->version == 1);
  CHECK(plane.store.writes().size() == 1);
}

TEST_CASE("a dry run shows the change and commits nothing") {
  Plane plane;
  plane.Gateway("shop");
  const auto changed = Change(plane, AddService("a"), true);
  REQUIRE(changed.ok());
  CHECK(changed->changes.size() == 1);
  CHECK(plane.store.writes().size() == 1);
}

TEST_CASE("a change that someone overtakes is made again from what is there now") {
  Plane plane;
  plane.Gateway("shop");
  plane.store.before_commit = [&] { REQUIRE(Change(plane, AddService("theirs")).ok()); };
  const auto changed = Change(plane, AddService("ours"));
  REQUIRE(changed.ok());
  CHECK(changed->version == 3);
  CHECK(changed->config.services_size() == 2);
}

TEST_CASE("a change is tried again kMaxCommitRetries times") {
  Plane plane;
  plane.Gateway("shop");
  plane.store.fail_next.assign(admin::kMaxCommitRetries, absl::AbortedError("again"));
  CHECK(Change(plane, AddService("a")).ok());
}

TEST_CASE("one conflict past kMaxCommitRetries is aborted") {
  Plane plane;
  plane.Gateway("shop");
  plane.store.fail_next.assign(admin::kMaxCommitRetries + 1, absl::AbortedError("again"));
  CHECK(absl::IsAborted(Change(plane, AddService("a")).status()));
}

TEST_CASE("a database that goes away during the commit leaves it open whether it was made") {
  Plane plane;
  plane.Gateway("shop");
  plane.store.fail_next = {absl::UnavailableError("gone")};
  const absl::Status status = Change(plane, AddService("a")).status();
  CHECK(absl::IsUnavailable(status));
  CHECK(std::string(status.message()).find("may or may not") != std::string::npos);
}

TEST_CASE("every violation is in the details and the first in the sentence") {
  Plane plane;
  plane.Gateway("shop");
  const auto edit = [](const GatewayConfig&, GatewayConfig& wanted, schema::Violations&) {
    for (const char* name : {"a", "b"}) {
      wanted.add_services()->set_name(name);
      wanted.mutable_services(wanted.services_size() - 1)->set_host("bad host");
    }
    return absl::OkStatus();
  };
  const absl::Status status = Change(plane, edit).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).ends_with("(and 1 more)"));
  google::rpc::BadRequest bad;
  bad.ParseFromString(std::string(*status.GetPayload("type.googleapis.com/google.rpc.BadRequest")));
  CHECK(bad.field_violations_size() == 2);
}

TEST_CASE("a changed entity keeps created_at whatever the edit says") {
  Plane plane;
  plane.Gateway("shop");
  const int64_t created = Change(plane, AddService("a"))->config.services(0).created_at();
  const auto edit = [](const GatewayConfig&, GatewayConfig& wanted, schema::Violations&) {
    wanted.mutable_services(0)->set_created_at(7);
    wanted.mutable_services(0)->set_retries(1);
    return absl::OkStatus();
  };
  const auto changed = Change(plane, edit);
  REQUIRE(changed.ok());
  CHECK(changed->config.services(0).created_at() == created);
}

TEST_CASE("a message of 1024 bytes is kept and a longer one refused") {
  Plane plane;
  plane.Gateway("shop");
  admin::Call call = Plane::NewCall();
  CHECK(admin::ChangeConfig(plane.deps, call, {"shop", std::string(1024, 'm')}, AddService("a")).ok());
  const auto refused = admin::ChangeConfig(plane.deps, call, {"shop", std::string(1025, 'm')}, AddService("b"));
  CHECK(absl::IsInvalidArgument(refused.status()));
}

TEST_CASE("a wait without nodes is over at once") {
  Plane plane;
  CHECK(admin::WaitUntilLive(plane.deps, Plane::NewCall(), {}, "id", 1).ok());
}

TEST_CASE("a wait that times out names the nodes that are missing") {
  Plane plane;
  plane.Connect("node-1", 5);
  plane.Connect("node-2", 4);
  admin::v1::Wait wait;
  wait.set_timeout_ms(1);
  const absl::Status status = admin::WaitUntilLive(plane.deps, Plane::NewCall(), wait, "id", 5).status();
  CHECK(status.message() ==
        "committed, but not live everywhere within 1 ms; waiting for node-2; the change stays and goes on being sent");
  CHECK(absl::IsDeadlineExceeded(status));
}

TEST_CASE("a wait names the nodes that refused the change and why") {
  Plane plane;
  plane.Connect("node-1", 5);
  plane.registry.Rejected("node-1", {"id", 5, "LOCAL_AGENT", "no agent here"}, {});
  const absl::Status status = admin::WaitUntilLive(plane.deps, Plane::NewCall(), {}, "id", 5).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message() ==
        "committed, but refused by node-1 (LOCAL_AGENT: no agent here); they serve the version before");
}

TEST_CASE("a wait ends when its caller goes away") {
  Plane plane;
  plane.Connect("node-1", 0);
  admin::Call call = Plane::NewCall();
  call.cancelled = [] { return true; };
  CHECK(absl::IsCancelled(admin::WaitUntilLive(plane.deps, call, {}, "id", 5).status()));
}

TEST_CASE("a wait of five minutes is taken and a longer one refused") {
  admin::v1::Wait wait;
  wait.set_timeout_ms(300'000);
  CHECK(admin::CheckWait(wait).ok());
  wait.set_timeout_ms(300'001);
  CHECK(absl::IsInvalidArgument(admin::CheckWait(wait)));
}

TEST_CASE("a refusal is audited under a name that the store takes, however the request spells it") {
  test::Plane plane;
  admin::v1::DeleteGatewayRequest request;
  std::string long_one(63, 'a');
  long_one += "\xc3\xa9";
  const std::string bearer = absl::StrCat("Bearer ", test::kOperator);
  const std::map<std::string, std::string> names = {{long_one, long_one.substr(0, 63)}, {{"a\0b", 3}, "a?b"}};
  for (const auto& [asked, kept] : names) {
    request.set_gateway(asked);
    admin::Call call;
    const admin::Arrival arrival{"/sluice.admin.v1.Gateways/DeleteGateway", bearer, "", ""};
    REQUIRE(admin::BeginCall(plane.deps, arrival, request, call).ok());
    CHECK(call.Audit().gateway == kept);
    CHECK(absl::IsNotFound(admin::FindGateway(plane.deps, call, asked).status()));
  }
}

TEST_CASE("a version's message without NUL characters only") {
  test::Plane plane;
  const std::string id = plane.Gateway("shop");
  admin::Call call = plane.NewCall();
  const auto nothing = [](const auto&, auto&, auto&) { return absl::OkStatus(); };
  const auto changed = admin::ChangeConfig(plane.deps, call, {id, std::string("a\0b", 3)}, nothing);
  CHECK(absl::IsInvalidArgument(changed.status()));
}
