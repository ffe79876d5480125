#include "control-plane/admin/names.h"
#include "control-plane/admin/watch.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using admin::v1::CreateGatewayRequest;
using admin::v1::Gateway;
using test::Served;

namespace {

CreateGatewayRequest Named(const std::string& name) {
  CreateGatewayRequest request;
  request.set_name(name);
  return request;
}

google::rpc::BadRequest BadRequestOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&bad);
  return bad;
}

}  // namespace

TEST_CASE("a new gateway has version 1, the serverless plan, and a generated and a readable host") {
  Served plane;
  const Gateway gateway = plane.Create("shop");
  CHECK(gateway.version() == 1);
  CHECK(gateway.plan() == "serverless");
  CHECK(gateway.kind() == config::v1::SERVERLESS);
  REQUIRE(gateway.hosts_size() == 2);
  CHECK(gateway.hosts(0).size() == 10 + std::string(".gw.test").size());
  CHECK(gateway.hosts(1) == "shop.gw.test");
}

TEST_CASE("a second gateway of the same name is refused") {
  Served plane;
  plane.Create("shop");
  Gateway gateway;
  const grpc::Status status = plane.Create(Named("shop"), gateway);
  CHECK(status.error_code() == grpc::StatusCode::ALREADY_EXISTS);
  CHECK(status.error_message() == "a gateway named 'shop' exists already");
}

TEST_CASE("a name that could be a generated host gets no host of its own") {
  Served plane;
  CHECK(plane.Create("0123456789").hosts_size() == 1);
  CHECK(plane.Create("-edge").hosts_size() == 1);
}

TEST_CASE("names are 1 to 63 of a-z, 0-9 and -, and no ids") {
  CHECK(admin::CheckName("name", std::string(63, 'a')).ok());
  CHECK_FALSE(admin::CheckName("name", std::string(64, 'a')).ok());
  CHECK_FALSE(admin::CheckName("name", "").ok());
  CHECK_FALSE(admin::CheckName("name", "Shop").ok());
  CHECK_FALSE(admin::CheckName("name", "shop.x").ok());
  CHECK_FALSE(admin::CheckName("name", "00000000-0000-4000-8000-000000000000").ok());
}

TEST_CASE("what the platform decides is refused field by field with a sentence that says so") {
  Served plane;
  CreateGatewayRequest request = Named("shop");
  request.set_version("3.9");
  request.set_node_count(2);
  request.set_node_size("large");
  request.set_region("eu");
  Gateway gateway;
  const grpc::Status status = plane.Create(request, gateway);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(status.error_message() ==
        "version: the platform decides this for every gateway; leave it out (and 3 more)");
  CHECK(BadRequestOf(status).field_violations_size() == 4);
}

TEST_CASE("a plan that nobody made is not found") {
  Served plane;
  CreateGatewayRequest request = Named("shop");
  request.set_plan("gold");
  Gateway gateway;
  CHECK(plane.Create(request, gateway).error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("a creation is audited along with its commit, once") {
  Served plane;
  const Gateway gateway = plane.Create("shop");
  const store::AuditRecord last = plane.store.audits().back();
  CHECK(last.action == "CreateGateway");
  CHECK(last.actor == "olga");
  CHECK(last.gateway == gateway.id());
  CHECK(last.outcome == "OK");
  CHECK(last.detail == R"({"name":"shop"})");
}

TEST_CASE("a refused creation is audited with its code") {
  Served plane;
  Gateway gateway;
  plane.Create(Named("NO"), gateway);
  REQUIRE(plane.store.audits().size() == 1);
  CHECK(plane.store.audits()[0].outcome == "INVALID_ARGUMENT");
}

TEST_CASE("gateways are listed by name, page by page") {
  Served plane;
  for (const char* name : {"c", "a", "b"}) plane.Create(name);
  admin::v1::ListGatewaysRequest request;
  request.set_page_size(2);
  admin::v1::ListGatewaysResponse first;
  REQUIRE(plane.gateways_stub->ListGateways(Served::As(test::kViewer).get(), request, &first).ok());
  REQUIRE(first.gateways_size() == 2);
  CHECK(first.gateways(1).name() == "b");
  request.set_page_token(first.next_page_token());
  admin::v1::ListGatewaysResponse second;
  REQUIRE(plane.gateways_stub->ListGateways(Served::As(test::kViewer).get(), request, &second).ok());
  REQUIRE(second.gateways_size() == 1);
  CHECK(second.gateways(0).name() == "c");
  CHECK(second.next_page_token().empty());
}

TEST_CASE("a deleted gateway is gone and its host is free again") {
  Served plane;
  plane.Create("shop");
  admin::v1::DeleteGatewayRequest request;
  request.set_gateway("shop");
  admin::v1::DeleteGatewayResponse response;
  REQUIRE(plane.gateways_stub->DeleteGateway(Served::As(test::kOperator).get(), request, &response).ok());
  CHECK(plane.gateways_stub->DeleteGateway(Served::As(test::kOperator).get(), request, &response).error_code() ==
        grpc::StatusCode::NOT_FOUND);
  CHECK(plane.Create("shop").hosts(1) == "shop.gw.test");
}

TEST_CASE("a watch shows the gateway now, then its next version, and ends when it is deleted") {
  Served plane;
  const Gateway gateway = plane.Create("shop");
  admin::v1::GetGatewayRequest request;
  request.set_gateway("shop");
  const auto context = Served::As(test::kViewer);
  const auto reader = plane.gateways_stub->WatchGateway(context.get(), request);
  Gateway seen;
  REQUIRE(reader->Read(&seen));
  CHECK(seen.version() == 1);
  plane.Connect("node-1", seen.revision());
  REQUIRE(reader->Read(&seen));
  CHECK(seen.rollout().applied(0) == "node-1");
  REQUIRE(plane.store.DeleteGateway({gateway.id()}).ok());
  REQUIRE(plane.index.Refresh().ok());
  while (reader->Read(&seen)) {
  }
  CHECK(reader->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("one watch past the maximum is refused") {
  test::Plane plane;
  plane.Gateway("shop");
  const auto once = [](const Gateway&) { return false; };
  admin::Call call = test::Plane::NewCall();
  std::atomic<int> watches = admin::kMaxWatches - 1;
  CHECK(admin::Watch(plane.deps, call, "shop", watches, once).ok());
  watches = admin::kMaxWatches;
  CHECK(absl::IsResourceExhausted(admin::Watch(plane.deps, call, "shop", watches, once)));
  CHECK(watches == admin::kMaxWatches);
}
