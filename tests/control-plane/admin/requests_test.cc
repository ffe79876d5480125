// request_id: a write is made once, however often it is asked for.

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::Served;

namespace {

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&info);
  return info.reason();
}

struct Shop : Served {
  Shop() { Served::Create("shop"); }

  static admin::v1::PutEntityRequest Consumer(const std::string& name, const std::string& request_id) {
    admin::v1::PutEntityRequest request;
    request.set_gateway("shop");
    request.mutable_entity()->mutable_consumer()->set_username(name);
    request.set_request_id(request_id);
    return request;
  }
  grpc::Status Put(const admin::v1::PutEntityRequest& request, const std::string& token = test::kOperator) {
    put.Clear();
    return configs_stub->PutEntity(As(token).get(), request, &put);
  }
  grpc::Status Create(const std::string& name, const std::string& request_id) {
    admin::v1::CreateGatewayRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    created.Clear();
    return Served::Create(request, created);
  }
  grpc::Status Drop(const std::string& request_id) {
    admin::v1::DeleteGatewayRequest request;
    request.set_gateway("shop");
    request.set_request_id(request_id);
    admin::v1::DeleteGatewayResponse response;
    return gateways_stub->DeleteGateway(As(test::kOperator).get(), request, &response);
  }
  int64_t version() { return store.GetGateway("shop")->version; }

  admin::v1::PutEntityResponse put;
  admin::v1::Gateway created;
};

}  // namespace

TEST_CASE("a repeated put answers what the first did and makes no version") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  const admin::v1::PutEntityResponse first = shop.put;
  REQUIRE(shop.Put(Shop::Consumer("bob", "r2")).ok());
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  CHECK(shop.put.SerializeAsString() == first.SerializeAsString());
  CHECK(shop.version() == 3);
}

TEST_CASE("a change is audited once as made, and its repetition as such") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  const std::vector<store::AuditRecord> audits = shop.store.audits();
  REQUIRE(audits.size() == 4);  // the built-in plan, the gateway, these two
  CHECK(audits[2].request_id == "r1");
  CHECK(audits[2].outcome == "OK");
  CHECK(audits[3].request_id == "r1");
  CHECK(audits[3].outcome == "REPEATED");
  CHECK(audits[3].gateway == audits[2].gateway);
}

TEST_CASE("an id that was another request is refused, of whatever method") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  CHECK(ReasonOf(shop.Put(Shop::Consumer("bob", "r1"))) == "REQUEST_ID_REUSED");
  CHECK(ReasonOf(shop.Create("other", "r1")) == "REQUEST_ID_REUSED");
  CHECK(ReasonOf(shop.Drop("r1")) == "REQUEST_ID_REUSED");
  CHECK(shop.version() == 2);
}

TEST_CASE("callers have ids of their own") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  CHECK(shop.Put(Shop::Consumer("bob", "r1"), test::kAdmin).ok());
  CHECK(shop.version() == 3);
}

TEST_CASE("how long to wait may differ between the calls of one request") {
  Shop shop;
  admin::v1::PutEntityRequest request = Shop::Consumer("ann", "r1");
  REQUIRE(shop.Put(request).ok());
  request.mutable_wait()->set_timeout_ms(1);
  CHECK(shop.Put(request).ok());
  shop.Connect("node-1", 0);
  CHECK(shop.Put(request).error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(shop.version() == 2);
}

TEST_CASE("a call that failed may be repeated with its id") {
  Shop shop;
  shop.store.fail_next = {absl::UnavailableError("gone")};
  CHECK(shop.Put(Shop::Consumer("ann", "r1")).error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(shop.Put(Shop::Consumer("ann", "r1")).ok());
  CHECK(shop.version() == 2);
}

TEST_CASE("a request that found nothing to change does not undo what came after it") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  REQUIRE(shop.Put(Shop::Consumer("ann", "r2")).ok());
  CHECK(shop.put.version() == 2);
  admin::v1::DeleteEntityRequest remove;
  remove.set_gateway("shop");
  remove.set_kind("consumer");
  remove.set_id("ann");
  admin::v1::DeleteEntityResponse removed;
  REQUIRE(shop.configs_stub->DeleteEntity(Served::As(test::kOperator).get(), remove, &removed).ok());
  REQUIRE(shop.Put(Shop::Consumer("ann", "r2")).ok());
  CHECK(shop.put.version() == 2);
  CHECK(shop.version() == 3);
}

TEST_CASE("a repeated deletion of an entity does not fail for want of it") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  admin::v1::DeleteEntityRequest remove;
  remove.set_gateway("shop");
  remove.set_kind("consumer");
  remove.set_id("ann");
  remove.set_request_id("r2");
  for (int i = 0; i < 2; ++i) {
    admin::v1::DeleteEntityResponse removed;
    CHECK(shop.configs_stub->DeleteEntity(Served::As(test::kOperator).get(), remove, &removed).ok());
    CHECK(removed.version() == 3);
  }
}

TEST_CASE("a write that was made from an older version by then is still answered when it is repeated") {
  Shop shop;
  admin::v1::PutEntityRequest request = Shop::Consumer("ann", "r1");
  request.set_etag("1");
  CHECK(shop.Put(request).ok());
  CHECK(shop.Put(request).ok());
  CHECK(shop.put.version() == 2);
}

TEST_CASE("a generated key is in the first answer only, and kept nowhere") {
  Shop shop;
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  admin::v1::PutEntityRequest request;
  request.set_gateway("shop");
  request.mutable_entity()->mutable_key_auth()->set_consumer("ann");
  request.set_request_id("r2");
  REQUIRE(shop.Put(request).ok());
  const std::string id = shop.put.entity().key_auth().id();
  CHECK(shop.put.entity().key_auth().key().size() == 32);
  REQUIRE(shop.Put(request).ok());
  CHECK(shop.put.entity().key_auth().id() == id);
  CHECK(shop.put.entity().key_auth().key().starts_with("sha256:"));
  CHECK(shop.version() == 3);
}

TEST_CASE("a repeated creation answers the same gateway") {
  Shop shop;
  REQUIRE(shop.Create("other", "r1").ok());
  const std::string id = shop.created.id();
  REQUIRE(shop.Create("other", "r1").ok());
  CHECK(shop.created.id() == id);
  CHECK(ReasonOf(shop.Create("other", "r2")) == "NAME_TAKEN");
}

TEST_CASE("of two creations with one id that meet, the second answers what the first made") {
  Shop shop;
  admin::v1::Gateway first;
  shop.store.before_commit = [&] {
    REQUIRE(shop.Create("other", "r1").ok());
    first = shop.created;
  };
  admin::v1::CreateGatewayRequest request;
  request.set_name("other");
  request.set_request_id("r1");
  admin::v1::Gateway second;
  REQUIRE(shop.Served::Create(request, second).ok());
  CHECK(second.id() == first.id());
}

TEST_CASE("of two puts with one id that meet, the second answers what the first made") {
  Shop shop;
  shop.store.before_commit = [&] { REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok()); };
  REQUIRE(shop.Put(Shop::Consumer("ann", "r1")).ok());
  CHECK(shop.put.version() == 2);
  CHECK(shop.version() == 2);
}

TEST_CASE("a repeated deletion of a gateway is done, also when its name is another gateway's by then") {
  Shop shop;
  REQUIRE(shop.Drop("r1").ok());
  REQUIRE(shop.Drop("r1").ok());
  REQUIRE(shop.Create("shop", "r2").ok());
  REQUIRE(shop.Drop("r1").ok());
  CHECK(shop.store.GetGateway("shop").ok());
}

TEST_CASE("a creation whose gateway is gone says so when it is repeated") {
  Shop shop;
  REQUIRE(shop.Create("other", "r1").ok());
  REQUIRE(shop.store.DeleteGateway({shop.created.id()}).ok());
  const grpc::Status status = shop.Create("other", "r1");
  CHECK(status.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(status.error_message().find("has been deleted since") != std::string::npos);
}

TEST_CASE("a plan that was set once is not set again over a later one") {
  Shop shop;
  const auto set = [&](uint32_t limit, const std::string& request_id) {
    admin::v1::SetPlanRequest request;
    *request.mutable_plan() = config::ServerlessPlan();
    request.mutable_plan()->set_requests_per_second(limit);
    request.set_request_id(request_id);
    config::v1::Plan plan;
    return shop.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &plan);
  };
  REQUIRE(set(7, "r1").ok());
  REQUIRE(set(8, "r2").ok());
  REQUIRE(set(7, "r1").ok());
  CHECK(shop.store.GetPlan("serverless")->requests_per_second() == 8);
  CHECK(shop.version() == 3);
  CHECK(ReasonOf(set(9, "r1")) == "REQUEST_ID_REUSED");
}

TEST_CASE("a plan that some gateways have not taken over yet is finished when the call is repeated") {
  Shop shop;
  admin::v1::SetPlanRequest request;
  *request.mutable_plan() = config::ServerlessPlan();
  request.mutable_plan()->set_requests_per_second(7);
  request.set_request_id("r1");
  config::v1::Plan plan;
  shop.store.fail_next = {absl::UnavailableError("gone")};
  CHECK_FALSE(shop.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &plan).ok());
  CHECK(shop.version() == 1);
  CHECK(shop.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &plan).ok());
  CHECK(shop.version() == 2);
}

TEST_CASE("validate_only keeps no id") {
  Shop shop;
  admin::v1::PutEntityRequest request = Shop::Consumer("ann", "r1");
  request.set_validate_only(true);
  REQUIRE(shop.Put(request).ok());
  request.set_validate_only(false);
  REQUIRE(shop.Put(request).ok());
  CHECK(shop.version() == 2);
}

TEST_CASE("an id of 64 characters is taken, a longer one and one of others refused") {
  Shop shop;
  CHECK(shop.Put(Shop::Consumer("ann", std::string(64, 'a'))).ok());
  for (const std::string& id : {std::string(65, 'a'), std::string("a b"), std::string("a\n")}) {
    CHECK(shop.Put(Shop::Consumer("bob", id)).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  }
  CHECK(shop.version() == 2);
}
