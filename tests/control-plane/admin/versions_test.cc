// Versions: what one changed, back to an earlier one, and writes that were made from one that is not the latest.

#include "common/schema/schema.h"
#include "google/rpc/error_details.pb.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/wait.h"
#include "google/rpc/status.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using admin::v1::ApplyConfigResponse;
using admin::v1::Change;
using test::Served;

namespace {

std::string Document(const std::string& services) {
  return R"({"_format_version": "3.0", "services": [)" + services + "]}";
}
const std::string kA = R"({"name": "a", "url": "http://a.example.com"})";
const std::string kSlowA = R"({"name": "a", "url": "http://a.example.com", "retries": 1})";
const std::string kB = R"({"name": "b", "url": "http://b.example.com"})";

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&info);
  return info;
}

// Version 2 has a; version 3 a and b; version 4 another a.
struct Shop : Served {
  Shop() {
    Create("shop");
    for (const std::string& services : {kA, kA + "," + kB, kSlowA}) REQUIRE(Apply(Document(services)).ok());
  }
  grpc::Status Apply(const std::string& json, const std::string& etag = "") {
    admin::v1::ApplyConfigRequest request;
    request.set_gateway("shop");
    request.set_etag(etag);
    std::string error;
    REQUIRE(schema::ParseJson(json, *request.mutable_document(), error));
    return configs_stub->ApplyConfig(As(test::kOperator).get(), request, &applied);
  }
  grpc::Status Diff(int64_t from, int64_t to) {
    admin::v1::DiffVersionsRequest request;
    request.set_gateway("shop");
    request.set_from(from);
    request.set_to(to);
    return configs_stub->DiffVersions(As(test::kViewer).get(), request, &diff);
  }
  grpc::Status Rollback(int64_t version, bool validate_only = false, const std::string& etag = "") {
    admin::v1::RollbackRequest request;
    request.set_gateway("shop");
    request.set_version(version);
    request.set_validate_only(validate_only);
    request.set_etag(etag);
    return configs_stub->Rollback(As(test::kOperator).get(), request, &applied);
  }
  config::v1::GatewayConfig Stored(int64_t version = 0) {
    config::v1::GatewayConfig config;
    REQUIRE(config.ParseFromString(store.GetVersion(store.GetGateway("shop")->id, version)->config));
    return config;
  }
  size_t commits() const { return store.writes().size(); }

  ApplyConfigResponse applied;
  admin::v1::DiffVersionsResponse diff;
};

}  // namespace

TEST_CASE("the changes between two versions are shown, either way") {
  Shop shop;
  REQUIRE(shop.Diff(2, 4).ok());
  REQUIRE(shop.diff.changes_size() == 1);
  CHECK(shop.diff.changes(0).action() == Change::UPDATE);
  CHECK(shop.diff.changes(0).fields(0).field() == "retries");
  CHECK(shop.diff.changes(0).fields(0).before() == "5");
  CHECK(shop.diff.changes(0).fields(0).after() == "1");
  REQUIRE(shop.Diff(4, 3).ok());
  CHECK(shop.diff.changes_size() == 2);
}

TEST_CASE("version 0 of a diff is the latest") {
  Shop shop;
  REQUIRE(shop.Diff(3, 0).ok());
  CHECK(shop.diff.to() == 4);
  CHECK(shop.diff.changes_size() == 2);
}

TEST_CASE("a diff with a version that is not there says which") {
  Shop shop;
  const grpc::Status status = shop.Diff(3, 9);
  CHECK(status.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(status.error_message() == "no version '9'; the latest 100 versions are kept");
  CHECK(shop.Diff(-1, 0).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a plan that changed shows in the diff of its gateways") {
  Shop shop;
  admin::v1::SetPlanRequest request;
  *request.mutable_plan() = config::ServerlessPlan();
  request.mutable_plan()->set_requests_per_second(7);
  config::v1::Plan plan;
  REQUIRE(shop.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &plan).ok());
  REQUIRE(shop.Diff(4, 5).ok());
  REQUIRE(shop.diff.changes_size() == 1);
  CHECK(shop.diff.changes(0).kind() == "gateway");
  CHECK(shop.diff.changes(0).fields(0).field() == "plan.requests_per_second");
}

TEST_CASE("a rollback is a new version with the entities, ids and creation times of the earlier one") {
  Shop shop;
  const config::v1::GatewayConfig then = shop.Stored(3);
  REQUIRE(shop.Rollback(3).ok());
  CHECK(shop.applied.version() == 5);
  CHECK(shop.applied.etag() == "5");
  CHECK(shop.applied.changes_size() == 2);
  const config::v1::GatewayConfig now = shop.Stored();
  REQUIRE(now.services_size() == 2);
  for (int i = 0; i < 2; ++i) {
    CHECK(now.services(i).id() == then.services(i).id());
    CHECK(now.services(i).created_at() == then.services(i).created_at());
    CHECK(now.services(i).retries() == then.services(i).retries());
  }
  CHECK(shop.store.writes().back().message == "rollback to version 3");
}

TEST_CASE("a rollback keeps the plan of now") {
  Shop shop;
  admin::v1::SetPlanRequest request;
  *request.mutable_plan() = config::ServerlessPlan();
  request.mutable_plan()->set_requests_per_second(7);
  config::v1::Plan plan;
  REQUIRE(shop.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &plan).ok());
  REQUIRE(shop.Rollback(2).ok());
  CHECK(shop.Stored().plan().requests_per_second() == 7);
}

TEST_CASE("a version that the rules of now refuse is not restored") {
  Shop shop;
  REQUIRE(shop.Apply(R"({"_format_version": "3.0", "plugins": [
      {"name": "request-size-limiting", "config": {"allowed_payload_size": 1}}]})").ok());
  REQUIRE(shop.Rollback(2).ok());
  shop.store.EditVersion("shop", 5, [](config::v1::GatewayConfig& then) {
    then.mutable_plugins(0)->set_name("file-log");  // as if it had been allowed once
  });
  const grpc::Status status = shop.Rollback(5);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(InfoOf(status).reason() == "LOCAL_AGENT");
  CHECK(shop.store.GetGateway("shop")->version == 6);
}

TEST_CASE("a rollback to what is there already makes no version") {
  Shop shop;
  REQUIRE(shop.Rollback(4).ok());
  CHECK(shop.applied.version() == 4);
  CHECK(shop.applied.changes_size() == 0);
}

TEST_CASE("validate_only shows what a rollback would change") {
  Shop shop;
  REQUIRE(shop.Rollback(3, true).ok());
  CHECK(shop.applied.version() == 4);
  CHECK(shop.applied.changes_size() == 2);
  CHECK(shop.commits() == 4);
}

TEST_CASE("a rollback to a version that is not there, or to none, is refused") {
  Shop shop;
  CHECK(shop.Rollback(9).error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(shop.Rollback(0).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a write from the latest version is made, and one from an older version refused with both") {
  Shop shop;
  REQUIRE(shop.Apply(Document(kB), "4").ok());
  const grpc::Status status = shop.Apply(Document(kA), "4");
  CHECK(status.error_code() == grpc::StatusCode::ABORTED);
  CHECK(InfoOf(status).reason() == "ETAG_MISMATCH");
  CHECK(InfoOf(status).metadata().at("version") == "5");
  CHECK(InfoOf(status).metadata().at("expected_version") == "4");
  CHECK(status.error_message() ==
        "gateway 'shop' is at version 5, not 4 any more, so nothing was changed; read it again and change what is "
        "there now");
}

TEST_CASE("a write that is overtaken between reading and committing is refused, not made again") {
  Shop shop;
  shop.store.before_commit = [&] { REQUIRE(shop.Rollback(2).ok()); };
  const grpc::Status status = shop.Apply(Document(kB), "4");
  CHECK(InfoOf(status).reason() == "ETAG_MISMATCH");
  CHECK(shop.store.GetGateway("shop")->version == 5);
}

TEST_CASE("an etag that no answer carried is refused as such") {
  Shop shop;
  for (const char* etag : {"x", "0", "-1", "4x", " 4", "99999999999999999999"}) {
    INFO(etag);
    CHECK(InfoOf(shop.Apply(Document(kB), etag)).reason() == "ETAG");
  }
}

TEST_CASE("every answer that shows a gateway's configuration carries its etag") {
  Shop shop;
  const auto context = [] { return Served::As(test::kViewer); };
  admin::v1::GetGatewayRequest get;
  get.set_gateway("shop");
  admin::v1::Gateway gateway;
  REQUIRE(shop.gateways_stub->GetGateway(context().get(), get, &gateway).ok());
  CHECK(gateway.etag() == "4");
  admin::v1::GetEntityRequest get_entity;
  get_entity.set_gateway("shop");
  get_entity.set_kind("service");
  get_entity.set_id("a");
  admin::v1::GetEntityResponse entity;
  REQUIRE(shop.configs_stub->GetEntity(context().get(), get_entity, &entity).ok());
  CHECK(entity.etag() == "4");
  admin::v1::GetConfigRequest get_config;
  get_config.set_gateway("shop");
  get_config.set_version(2);
  admin::v1::GetConfigResponse config;
  REQUIRE(shop.configs_stub->GetConfig(context().get(), get_config, &config).ok());
  CHECK(config.etag() == "2");
}

TEST_CASE("a put, a deletion and the gateway's own deletion heed the etag") {
  Shop shop;
  admin::v1::PutEntityRequest put;
  put.set_gateway("shop");
  put.mutable_entity()->mutable_consumer()->set_username("ann");
  put.set_etag("3");
  admin::v1::PutEntityResponse put_answer;
  const auto context = [] { return Served::As(test::kOperator); };
  CHECK(shop.configs_stub->PutEntity(context().get(), put, &put_answer).error_code() == grpc::StatusCode::ABORTED);
  admin::v1::DeleteEntityRequest remove;
  remove.set_gateway("shop");
  remove.set_kind("service");
  remove.set_id("a");
  remove.set_etag("3");
  admin::v1::DeleteEntityResponse removed;
  CHECK(shop.configs_stub->DeleteEntity(context().get(), remove, &removed).error_code() == grpc::StatusCode::ABORTED);
  admin::v1::DeleteGatewayRequest drop;
  drop.set_gateway("shop");
  drop.set_etag("3");
  admin::v1::DeleteGatewayResponse dropped;
  CHECK(shop.gateways_stub->DeleteGateway(context().get(), drop, &dropped).error_code() == grpc::StatusCode::ABORTED);
  drop.set_etag("4");
  CHECK(shop.gateways_stub->DeleteGateway(context().get(), drop, &dropped).ok());
}

TEST_CASE("a deletion that is overtaken is refused") {
  Shop shop;
  shop.store.before_commit = [&] { REQUIRE(shop.Rollback(2).ok()); };
  admin::v1::DeleteGatewayRequest drop;
  drop.set_gateway("shop");
  drop.set_etag("4");
  admin::v1::DeleteGatewayResponse dropped;
  const grpc::Status status = shop.gateways_stub->DeleteGateway(Served::As(test::kOperator).get(), drop, &dropped);
  CHECK(InfoOf(status).reason() == "ETAG_MISMATCH");
  CHECK(shop.store.GetGateway("shop").ok());
}

TEST_CASE("validate_only of a deletion, a gateway and a plan changes nothing") {
  Shop shop;
  const auto context = [] { return Served::As(test::kOperator); };
  admin::v1::DeleteEntityRequest remove;
  remove.set_gateway("shop");
  remove.set_kind("service");
  remove.set_id("a");
  remove.set_validate_only(true);
  admin::v1::DeleteEntityResponse removed;
  CHECK(shop.configs_stub->DeleteEntity(context().get(), remove, &removed).ok());
  admin::v1::DeleteGatewayRequest drop;
  drop.set_gateway("shop");
  drop.set_validate_only(true);
  admin::v1::DeleteGatewayResponse dropped;
  CHECK(shop.gateways_stub->DeleteGateway(context().get(), drop, &dropped).ok());
  admin::v1::CreateGatewayRequest create;
  create.set_name("other");
  create.set_validate_only(true);
  admin::v1::Gateway gateway;
  CHECK(shop.Served::Create(create, gateway).ok());
  CHECK(gateway.id().empty());
  create.set_name("shop");
  CHECK(shop.Served::Create(create, gateway).error_code() == grpc::StatusCode::ALREADY_EXISTS);
  admin::v1::SetPlanRequest plan;
  *plan.mutable_plan() = config::ServerlessPlan();
  plan.mutable_plan()->set_requests_per_second(7);
  plan.set_validate_only(true);
  config::v1::Plan answer;
  CHECK(shop.plans_stub->SetPlan(context().get(), plan, &answer).ok());
  CHECK(shop.commits() == 4);
  CHECK(shop.store.GetPlan("serverless")->requests_per_second() == 100);
}

TEST_CASE("a listed version says how many entities it created, updated and deleted") {
  Shop shop;
  admin::v1::ListVersionsRequest request;
  request.set_gateway("shop");
  admin::v1::ListVersionsResponse response;
  REQUIRE(shop.configs_stub->ListVersions(Served::As(test::kViewer).get(), request, &response).ok());
  REQUIRE(response.versions_size() == 4);
  CHECK(response.versions(0).changes().updated() == 1);
  CHECK(response.versions(0).changes().deleted() == 1);
  CHECK(response.versions(2).changes().created() == 1);
  CHECK(response.versions(3).has_changes());
}

TEST_CASE("a write that waits answers where it is live") {
  Shop shop;
  shop.Connect("node-1", 1000);
  admin::v1::RollbackRequest request;
  request.set_gateway("shop");
  request.set_version(3);
  request.mutable_wait();
  REQUIRE(shop.configs_stub->Rollback(Served::As(test::kOperator).get(), request, &shop.applied).ok());
  REQUIRE(shop.applied.rollout().applied_size() == 1);
  CHECK(shop.applied.rollout().applied(0) == "node-1");
}

TEST_CASE("a wait that times out says in its details where the change stands") {
  Shop shop;
  shop.Connect("node-1", 1000);
  shop.Connect("node-2", 0);
  admin::v1::RollbackRequest request;
  request.set_gateway("shop");
  request.set_version(3);
  request.mutable_wait()->set_timeout_ms(1);
  const grpc::Status status =
      shop.configs_stub->Rollback(Served::As(test::kOperator).get(), request, &shop.applied);
  CHECK(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  google::rpc::Status details;
  admin::v1::Rollout rollout;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&rollout);
  REQUIRE(rollout.pending_size() == 1);
  CHECK(rollout.pending(0) == "node-2");
  CHECK(rollout.applied(0) == "node-1");
}

TEST_CASE("more nodes are missing than an error has room for, and it still arrives with some of them") {
  Shop shop;
  for (int i = 0; i < 1000; ++i) shop.Connect("node-with-a-long-name-" + std::to_string(i), 0);
  admin::v1::Wait wait;
  wait.set_timeout_ms(1);
  const absl::Status status =
      admin::WaitUntilLive(shop.deps, test::Plane::NewCall(), wait, "id", 1).status();
  const std::string details = admin::StatusDetails(status);
  CHECK(details.size() < admin::kMaxErrorDetailBytes + admin::kMaxErrorMessageBytes + 100);
  CHECK(details.find("sluice.admin.v1.Rollout") != std::string::npos);
}
