#include "common/config/plans.h"
#include "tests/control-plane/admin/fixture.h"

namespace sluice::test {
namespace {

google::protobuf::Struct Document(const std::string& path) {
  google::protobuf::Struct route, service, document;
  (*route.mutable_fields())["name"].set_string_value("all");
  (*route.mutable_fields())["paths"].mutable_list_value()->add_values()->set_string_value(path);
  (*service.mutable_fields())["name"].set_string_value("main");
  (*service.mutable_fields())["host"].set_string_value("example.com");
  *(*service.mutable_fields())["routes"].mutable_list_value()->add_values()->mutable_struct_value() = route;
  (*document.mutable_fields())["_format_version"].set_string_value("3.0");
  *(*document.mutable_fields())["services"].mutable_list_value()->add_values()->mutable_struct_value() = service;
  return document;
}

admin::v1::ImportGatewaysResponse Import(Served& plane, const std::vector<std::pair<std::string, std::string>>& all) {
  admin::v1::ImportGatewaysRequest request;
  for (const auto& [name, path] : all) {
    admin::v1::NewGateway& gateway = *request.add_gateways();
    gateway.set_name(name);
    *gateway.mutable_document() = Document(path);
  }
  admin::v1::ImportGatewaysResponse response;
  const grpc::Status status =
      plane.gateways_stub->ImportGateways(Served::As(kOperator).get(), request, &response);
  INFO(status.error_message());
  REQUIRE(status.ok());
  return response;
}

TEST_CASE("an imported gateway has its entities, its hosts and one version") {
  Served plane;
  const auto response = Import(plane, {{"shop", "/"}, {"blog", "/posts"}});
  REQUIRE(response.results_size() == 2);
  CHECK_FALSE(response.results(1).has_error());
  const auto config = admin::LoadConfig(plane.deps, response.results(1).id(), 0);
  REQUIRE(config.ok());
  CHECK(config->version() == 1);
  CHECK(config->hosts(1) == "blog.gw.test");
  REQUIRE(config->routes_size() == 1);
  CHECK(config->routes(0).service() == config->services(0).id());
  CHECK(plane.store.writes()[1].entities.size() == 2);
  CHECK(plane.index.head() == response.results(1).revision());
}

TEST_CASE("what is wrong with one gateway keeps no other out, and names the field") {
  Served plane;
  const auto response = Import(plane, {{"shop", "/"}, {"Not a name", "/"}, {"blog", "no-slash"}, {"wiki", "/"}});
  CHECK_FALSE(response.results(0).has_error());
  CHECK(response.results(1).error().code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(response.results(2).error().details_size() > 0);
  CHECK_FALSE(response.results(3).has_error());
  CHECK(plane.store.writes().size() == 2);
}

TEST_CASE("an import that is repeated makes nothing twice and what was missing") {
  Served plane;
  Import(plane, {{"shop", "/"}});
  const auto response = Import(plane, {{"shop", "/"}, {"blog", "/"}});
  CHECK(response.results(0).error().code() == grpc::StatusCode::ALREADY_EXISTS);
  CHECK_FALSE(response.results(1).has_error());
  CHECK(plane.store.writes().size() == 2);
}

TEST_CASE("a name that would be another gateway's host is imported without that host") {
  Served plane;
  const std::string shop = plane.Create("shop").id();
  admin::Call call = Plane::NewCall();
  const auto rename = [](const auto&, config::v1::GatewayConfig& wanted, schema::Violations&) {
    wanted.add_hosts("blog.gw.test");
    return absl::OkStatus();
  };
  REQUIRE(admin::ChangeConfig(plane.deps, call, {"shop", ""}, rename).ok());
  const auto response = Import(plane, {{"blog", "/"}});
  REQUIRE_FALSE(response.results(0).has_error());
  CHECK(admin::LoadConfig(plane.deps, response.results(0).id(), 0)->hosts_size() == 1);
}

TEST_CASE("an imported gateway is on its kind's plan, as a created one is") {
  Served plane;
  admin::v1::ImportGatewaysRequest request;
  request.add_gateways()->set_name("own");
  request.mutable_gateways(0)->set_kind(config::v1::SELF_MANAGED);
  admin::v1::ImportGatewaysResponse response;
  REQUIRE(plane.gateways_stub->ImportGateways(Served::As(kOperator).get(), request, &response).ok());
  const auto config = admin::LoadConfig(plane.deps, response.results(0).id(), 0);
  REQUIRE(config.ok());
  CHECK(config->kind() == config::v1::SELF_MANAGED);
  CHECK(config->plan().name() == config::SelfManagedPlan().name());
  CHECK(plane.store.GetPlan(config->plan().name()).ok());
}

TEST_CASE("gateways that are imported while their plan is changed take the new one over") {
  Served plane;
  config::v1::Plan plan = config::ServerlessPlan();
  plan.set_requests_per_second(7);
  plane.store.before_commit = [&] { REQUIRE(plane.store.PutPlan(plan, {}).ok()); };
  const admin::v1::ImportGatewaysResponse response = Import(plane, {{"one", "/a"}, {"two", "/b"}});
  for (const admin::v1::ImportResult& result : response.results()) {
    const auto config = admin::LoadConfig(plane.deps, result.id(), 0);
    REQUIRE(config.ok());
    CHECK(config->plan().requests_per_second() == 7);
    CHECK(result.revision() == plane.store.GetGateway(result.id())->revision);
  }
}

TEST_CASE("a serverless gateway is not imported onto the plan of self-managed ones") {
  Served plane;
  admin::v1::ImportGatewaysRequest request;
  request.add_gateways()->set_name("shop");
  request.mutable_gateways(0)->set_plan(config::SelfManagedPlan().name());
  admin::v1::ImportGatewaysResponse response;
  REQUIRE(plane.gateways_stub->ImportGateways(Served::As(kOperator).get(), request, &response).ok());
  CHECK(response.results(0).error().code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(plane.store.writes().empty());
}

TEST_CASE("no gateway, too many, or a name twice are refused as a whole") {
  Served plane;
  const auto code = [&](const admin::v1::ImportGatewaysRequest& request) {
    admin::v1::ImportGatewaysResponse response;
    return plane.gateways_stub->ImportGateways(Served::As(kOperator).get(), request, &response).error_code();
  };
  admin::v1::ImportGatewaysRequest request;
  CHECK(code(request) == grpc::StatusCode::INVALID_ARGUMENT);
  request.add_gateways()->set_name("shop");
  request.add_gateways()->set_name("shop");
  CHECK(code(request) == grpc::StatusCode::INVALID_ARGUMENT);
  request.clear_gateways();
  for (int i = 0; i < store::kMaxImport; ++i) request.add_gateways()->set_name("g" + std::to_string(i));
  CHECK(code(request) == grpc::StatusCode::OK);
  request.add_gateways()->set_name("one-more");
  CHECK(code(request) == grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace sluice::test
