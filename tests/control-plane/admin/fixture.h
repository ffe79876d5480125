#pragma once

// The admin services over a store in memory, called directly or over gRPC on loopback. Belongs to one test.

#include <memory>
#include <string>

#include "catch2/catch.hpp"
#include "common/config/config.h"
#include "common/rpc/server.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/services.h"
#include "grpcpp/grpcpp.h"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "tests/support/fake_store.h"

namespace sluice::test {

inline const std::string kViewer = "viewer-token-0123456789";
inline const std::string kOperator = "operator-token-0123456789";
inline const std::string kAdmin = "admin-token-0123456789";

struct Plane {
  FakeStore store;
  index::Index index{store};
  sync::Registry registry;
  SystemClock clock;
  access::Access access{store, clock};
  fleet::Trust trust{store.identities(), clock};
  placement::Directory cells{store, index, registry};
  admin::AdminDeps deps{store, index, registry, access, clock, trust, cells, {}, "gw.test"};

  Plane() {
    REQUIRE(trust.Open("/nowhere").ok());
    REQUIRE(cells.Refresh().ok());
    (void)store.PutToken({"1", "vera", "viewer"}, access::HashToken(kViewer));
    (void)store.PutToken({"2", "olga", "operator"}, access::HashToken(kOperator));
    (void)store.PutToken({"3", "adam", "admin"}, access::HashToken(kAdmin));
  }

  // A gateway without hosts, its first version committed.
  std::string Gateway(const std::string& name) {
    config::v1::GatewayConfig config;
    config.set_id("00000000-0000-4000-8000-0000000000" + std::to_string(10 + ++gateways));
    config.set_name(name);
    config.set_kind(config::v1::SERVERLESS);
    config.add_hosts(name + ".gw.test");
    *config.mutable_plan() = config::ServerlessPlan();
    admin::Call call = NewCall();
    REQUIRE(admin::CommitNew(deps, call, config).ok());
    return config.id();
  }

  static admin::Call NewCall(const std::string& method = "/sluice.admin.v1.Configs/PutEntity") {
    admin::Call call;
    call.method = method;
    call.caller = {"olga", access::Role::kOperator};
    return call;
  }

  void Connect(const std::string& node, int64_t applied) {
    sync::NodeStatus status;
    status.name = node;
    status.applied = applied;
    registry.Connected(status);
  }

  int gateways = 0;
};

// The same behind a real server, with a channel to it.
struct Served : Plane {
  std::vector<std::unique_ptr<grpc::Service>> services = admin::MakeAdminServices(deps);
  std::unique_ptr<rpc::Server> server = Start();
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials());
  std::unique_ptr<admin::v1::Gateways::Stub> gateways_stub = admin::v1::Gateways::NewStub(channel);
  std::unique_ptr<admin::v1::Configs::Stub> configs_stub = admin::v1::Configs::NewStub(channel);
  std::unique_ptr<admin::v1::Plans::Stub> plans_stub = admin::v1::Plans::NewStub(channel);

  std::unique_ptr<rpc::Server> Start() {
    auto started =
        rpc::Server::Start("127.0.0.1:0", grpc::InsecureServerCredentials(), [this](grpc::ServerBuilder& builder) {
          for (const auto& service : services) builder.RegisterService(service.get());
        });
    REQUIRE(started.ok());
    return std::move(*started);
  }

  static std::unique_ptr<grpc::ClientContext> As(const std::string& token) {
    auto context = std::make_unique<grpc::ClientContext>();
    if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
    return context;
  }

  grpc::Status Create(const admin::v1::CreateGatewayRequest& request, admin::v1::Gateway& gateway) {
    return gateways_stub->CreateGateway(As(kOperator).get(), request, &gateway);
  }
  admin::v1::Gateway Create(const std::string& name) {
    admin::v1::CreateGatewayRequest request;
    request.set_name(name);
    admin::v1::Gateway gateway;
    REQUIRE(Create(request, gateway).ok());
    return gateway;
  }
};

}  // namespace sluice::test
