// Who may join, as an operator decides it.

#include "catch2/catch.hpp"
#include "control-plane/fleet/join_token.h"
#include "sluice/admin/v1/nodes.grpc.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::kAdmin;
using test::kOperator;

namespace {

struct Nodes : test::Served {
  std::unique_ptr<admin::v1::Nodes::Stub> stub = admin::v1::Nodes::NewStub(channel);

  grpc::Status CreateToken(const admin::v1::CreateJoinTokenRequest& request,
                           admin::v1::CreateJoinTokenResponse& response, const std::string& as = kAdmin) {
    return stub->CreateJoinToken(As(as).get(), request, &response);
  }
  grpc::StatusCode CreateToken(const admin::v1::CreateJoinTokenRequest& request) {
    admin::v1::CreateJoinTokenResponse response;
    return CreateToken(request, response).error_code();
  }
  void SelfManaged(const std::string& name) {
    admin::v1::CreateGatewayRequest request;
    request.set_name(name);
    request.set_kind(config::v1::SELF_MANAGED);
    admin::v1::Gateway gateway;
    REQUIRE(Create(request, gateway).ok());
    CHECK(gateway.plan() == "self-managed");
  }
};

TEST_CASE("a join token names the authority, is kept hashed, and is of the default cell for an hour") {
  Nodes plane;
  admin::v1::CreateJoinTokenResponse response;
  REQUIRE(plane.CreateToken({}, response).ok());
  CHECK(response.token().ends_with(plane.trust.oldest()->id()));
  CHECK(fleet::HashJoinToken(response.token()).has_value());
  const store::JoinTokenRecord kept = plane.store.identities().JoinTokens()->at(0);
  CHECK(kept.scope == store::Scope::OfCell("default"));
  CHECK(kept.expires - kept.created == std::chrono::hours(1));
  admin::v1::ListJoinTokensResponse listed;
  REQUIRE(plane.stub->ListJoinTokens(plane.As(kOperator).get(), {}, &listed).ok());
  CHECK(listed.tokens(0).id() == response.id());
  CHECK(listed.ShortDebugString().find(response.token().substr(0, 20)) == std::string::npos);
}

TEST_CASE("a node joins a self-managed gateway, and never a serverless one") {
  Nodes plane;
  plane.SelfManaged("own");
  plane.Create("shop");
  admin::v1::CreateJoinTokenRequest request;
  request.set_gateway("own");
  CHECK(plane.CreateToken(request) == grpc::StatusCode::OK);
  request.set_gateway("shop");
  admin::v1::CreateJoinTokenResponse response;
  const grpc::Status refused = plane.CreateToken(request, response);
  CHECK(refused.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(refused.error_message().starts_with("gateway 'shop' is serverless"));
  request.set_gateway("none");
  CHECK(plane.CreateToken(request) == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("a token is good for a day at most, in a cell that exists, and made by administrators") {
  Nodes plane;
  admin::v1::CreateJoinTokenRequest request;
  request.set_ttl_seconds(86'400);
  CHECK(plane.CreateToken(request) == grpc::StatusCode::OK);
  request.set_ttl_seconds(86'401);
  CHECK(plane.CreateToken(request) == grpc::StatusCode::INVALID_ARGUMENT);
  request.set_ttl_seconds(60);
  request.set_cell("west");
  CHECK(plane.CreateToken(request) == grpc::StatusCode::NOT_FOUND);
  admin::v1::CreateJoinTokenResponse response;
  CHECK(plane.CreateToken({}, response, kOperator).error_code() == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a token that is revoked is gone, and a node that never joined cannot be revoked") {
  Nodes plane;
  admin::v1::CreateJoinTokenResponse made;
  REQUIRE(plane.CreateToken({}, made).ok());
  admin::v1::RevokeJoinTokenRequest request;
  request.set_id(made.id());
  admin::v1::RevokeJoinTokenResponse ignored;
  CHECK(plane.stub->RevokeJoinToken(plane.As(kOperator).get(), request, &ignored).ok());
  CHECK(plane.store.identities().JoinTokens()->empty());
  admin::v1::RevokeNodeRequest node;
  node.set_name("nobody");
  admin::v1::RevokeNodeResponse none;
  CHECK(plane.stub->RevokeNode(plane.As(kOperator).get(), node, &none).error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("the plans of the two kinds of gateway are not exchanged") {
  Nodes plane;
  admin::v1::CreateGatewayRequest request;
  admin::v1::Gateway gateway;
  request.set_name("a");
  request.set_plan("self-managed");
  CHECK(plane.Create(request, gateway).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  request.set_kind(config::v1::SELF_MANAGED);
  request.set_plan("serverless");
  CHECK(plane.Create(request, gateway).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
