// One request that reaches two replicas of the control plane at once, as when a client tries again too early.

#include <thread>

#include "catch2/catch.hpp"
#include "grpcpp/grpcpp.h"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr int kRequests = 100;

struct Replica {
  Replica(uint16_t port, const std::string& token)
      : stub(admin::v1::Configs::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                             grpc::InsecureChannelCredentials()))),
        token("Bearer " + token) {}
  // The version it made.
  int64_t Put(int number) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", token);
    admin::v1::PutEntityRequest request;
    request.set_gateway("shop");
    request.mutable_entity()->mutable_consumer()->set_username("c" + std::to_string(number));
    request.set_request_id("r" + std::to_string(number));
    admin::v1::PutEntityResponse response;
    const grpc::Status status = stub->PutEntity(&context, request, &response);
    return status.ok() ? response.version() : -1;
  }
  std::unique_ptr<admin::v1::Configs::Stub> stub;
  std::string token;
};

TEST_CASE("a request that two replicas get at once is made once, and both answer the same") {
  Platform platform(0, 2);
  platform.Ok({"gateway", "create", "shop"});
  std::vector<std::vector<int64_t>> versions(2);
  std::vector<std::thread> callers;
  for (int replica = 0; replica < 2; ++replica) {
    platform.UseReplica(replica);
    callers.emplace_back([&, replica, port = platform.admin_port(), token = platform.token()] {
      Replica control_plane(port, token);
      for (int i = 0; i < kRequests; ++i) versions[replica].push_back(control_plane.Put(i));
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (int i = 0; i < kRequests; ++i) {
    CHECK(versions[0][i] == i + 2);
    CHECK(versions[1][i] == i + 2);
  }
  CHECK(platform.database().Query("select outcome, count(*) from audit where action = 'PutEntity' group by 1 order"
                                  " by 1") == "OK|" + std::to_string(kRequests) + "\nREPEATED|" +
                                                  std::to_string(kRequests) + "\n");
}

}  // namespace
}  // namespace sluice::test
