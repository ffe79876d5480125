#include "control-plane/admin/plan_rules.h"
#include "google/rpc/error_details.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::Served;

namespace {

config::v1::Plan Named(const std::string& name) {
  config::v1::Plan plan = config::ServerlessPlan();
  plan.set_name(name);
  return plan;
}

grpc::Status Set(Served& plane, const config::v1::Plan& plan) {
  admin::v1::SetPlanRequest request;
  *request.mutable_plan() = plan;
  config::v1::Plan stored;
  return plane.plans_stub->SetPlan(Served::As(test::kOperator).get(), request, &stored);
}

}  // namespace

TEST_CASE("the serverless plan is there without being made") {
  Served plane;
  admin::v1::GetPlanRequest request;
  request.set_name("serverless");
  config::v1::Plan plan;
  REQUIRE(plane.plans_stub->GetPlan(Served::As(test::kViewer).get(), request, &plan).ok());
  CHECK(plan.requests_per_second() == 100);
}

TEST_CASE("a changed plan is committed to every gateway on it as a new version, and to no other") {
  Served plane;
  plane.Create("shop");
  REQUIRE(Set(plane, Named("dedicated")).ok());
  admin::v1::CreateGatewayRequest request;
  request.set_name("big");
  request.set_plan("dedicated");
  admin::v1::Gateway gateway;
  REQUIRE(plane.Create(request, gateway).ok());
  config::v1::Plan plan = Named("dedicated");
  plan.set_requests_per_second(500);
  REQUIRE(Set(plane, plan).ok());
  CHECK(plane.store.GetGateway("big")->version == 2);
  CHECK(plane.store.GetGateway("shop")->version == 1);
  CHECK(plane.store.writes().back().config.plan().requests_per_second() == 500);
}

TEST_CASE("setting the same plan again commits nothing") {
  Served plane;
  plane.Create("shop");
  REQUIRE(Set(plane, Named("serverless")).ok());
  CHECK(plane.store.GetGateway("shop")->version == 1);
}

TEST_CASE("a gateway made while its plan is changed takes the new one over") {
  Served plane;
  config::v1::Plan plan = Named("serverless");
  plan.set_requests_per_second(7);
  plane.store.before_commit = [&] { REQUIRE(Set(plane, plan).ok()); };
  plane.Create("shop");
  CHECK(plane.store.writes().back().config.plan().requests_per_second() == 7);
}

TEST_CASE("limits of a plan are taken at their maximum and refused one past it") {
  config::v1::Plan plan = Named("p");
  plan.set_requests_per_second(admin::kMaxPlanRequestsPerSecond);
  plan.set_max_buffered_bytes(admin::kMaxPlanBufferedBytes);
  CHECK(admin::CheckPlan(plan).ok());
  plan.set_requests_per_second(admin::kMaxPlanRequestsPerSecond + 1);
  CHECK(admin::CheckPlan(plan).message() == "plan.requests_per_second: must be between 0 and 1000000");
}

TEST_CASE("a plan names plugins that exist and ranges that can be read") {
  config::v1::Plan plan = Named("p");
  plan.add_allow_plugins("no-such-plugin");
  plan.add_egress_allow("10.0.0.0/33");
  const absl::Status status = admin::CheckPlan(plan);
  CHECK(std::string(status.message()).starts_with("plan.allow_plugins[0]: "));
  CHECK(std::string(status.message()).ends_with("(and 1 more)"));
}

TEST_CASE("256 ranges are taken and 257 refused") {
  config::v1::Plan plan = Named("p");
  for (int i = 0; i < 256; ++i) plan.add_egress_allow("10.0.0.0/8");
  CHECK(admin::CheckPlan(plan).ok());
  plan.add_egress_allow("10.0.0.0/8");
  CHECK_FALSE(admin::CheckPlan(plan).ok());
}

TEST_CASE("a plan that a gateway on it would not fit is refused before anything is changed") {
  Served plane;
  config::v1::Plan open = Named("open");
  open.add_egress_allow("10.0.0.0/8");
  REQUIRE(Set(plane, open).ok());
  admin::v1::CreateGatewayRequest create;
  create.set_name("shop");
  create.set_plan("open");
  admin::v1::Gateway gateway;
  REQUIRE(plane.Create(create, gateway).ok());
  admin::v1::PutEntityRequest put;
  put.set_gateway("shop");
  put.mutable_entity()->mutable_service()->set_name("a");
  put.mutable_entity()->mutable_service()->set_host("10.1.2.3");
  admin::v1::PutEntityResponse response;
  REQUIRE(plane.configs_stub->PutEntity(Served::As(test::kOperator).get(), put, &response).ok());
  CHECK(Set(plane, Named("open")).error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(plane.store.GetPlan("open")->egress_allow_size() == 1);
}
