// What strangers send to the control plane's ports: a clear answer, nothing changed, the process alive.

#include <grpcpp/grpcpp.h>

#include "catch2/catch.hpp"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "sluice/sync/v1/sync.grpc.pb.h"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

std::shared_ptr<grpc::Channel> Admin(const Platform& platform) {
  return grpc::CreateChannel("127.0.0.1:" + std::to_string(platform.admin_port()), grpc::InsecureChannelCredentials());
}

std::unique_ptr<grpc::ClientContext> With(const std::string& token) {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  return context;
}

grpc::Status Create(Platform& platform, const std::string& token, const admin::v1::CreateGatewayRequest& request) {
  const auto stub = admin::v1::Gateways::NewStub(Admin(platform));
  admin::v1::Gateway gateway;
  return stub->CreateGateway(With(token).get(), request, &gateway);
}

grpc::StatusCode OpenStream(const Platform& platform, const std::string& certificate, const std::string& key,
                            const std::string& node) {
  grpc::SslCredentialsOptions options{ReadFile(platform.state() + "/ca.pem"), ReadFile(key), ReadFile(certificate)};
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(platform.sync_port()), grpc::SslCredentials(options));
  const auto stub = sync::v1::Sync::NewStub(channel);
  const auto context = With("");
  const auto stream = stub->Stream(context.get());
  sync::v1::NodeMessage hello;
  hello.mutable_resume()->set_node(node);
  stream->Write(hello);
  sync::v1::ControlMessage answer;
  if (stream->Read(&answer)) return grpc::StatusCode::OK;
  return stream->Finish().error_code();
}

TEST_CASE("calls without a token or with a wrong one are UNAUTHENTICATED") {
  Platform platform;
  admin::v1::CreateGatewayRequest request;
  request.set_name("shop");
  CHECK(Create(platform, "", request).error_code() == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(Create(platform, "wrong", request).error_code() == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(Create(platform, platform.token(), request).ok());
}

TEST_CASE("a message of five megabytes and text that is not UTF-8 are refused, and the control plane lives on") {
  Platform platform;
  admin::v1::CreateGatewayRequest large;
  large.set_name(std::string(5 * 1024 * 1024, 'a'));
  CHECK(Create(platform, platform.token(), large).error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  admin::v1::CreateGatewayRequest mangled;
  mangled.set_name("shop\xff");
  CHECK_FALSE(Create(platform, platform.token(), mangled).ok());
  admin::v1::CreateGatewayRequest request;
  request.set_name("shop");
  CHECK(Create(platform, platform.token(), request).ok());
  CHECK(platform.control_plane().running());
}

TEST_CASE("asking for what the platform decides is INVALID_ARGUMENT and says so") {
  Platform platform;
  admin::v1::CreateGatewayRequest request;
  request.set_name("shop");
  request.set_version("3.9");
  request.set_node_count(3);
  request.set_node_size("large");
  request.set_region("eu");
  const grpc::Status status = Create(platform, platform.token(), request);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(status.error_message().find("platform") != std::string::npos);
  for (const char* field : {"version", "node_count", "node_size", "region"}) {
    INFO(field);
    CHECK(status.error_details().find(field) != std::string::npos);
  }
}

TEST_CASE("a node with a foreign certificate, or under another's name, gets no stream") {
  Platform platform;
  const std::string other = platform.state() + "/other";
  REQUIRE(Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
               "/CN=node-1", "-out", other + ".cert", "-keyout", other + ".key"})
              .exit_code == 0);
  const std::string own = platform.state() + "/node-1/state/identity/node.pem";
  CHECK(OpenStream(platform, own, own, "node-1") == grpc::StatusCode::OK);
  CHECK(OpenStream(platform, own, own, "node-2") == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(OpenStream(platform, other + ".cert", other + ".key", "node-1") == grpc::StatusCode::UNAVAILABLE);
  CHECK(OpenStream(platform, "", "", "node-1") == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(platform.control_plane().running());
}

TEST_CASE("the admin service in clear text is refused on what is not loopback") {
  TempDir state;
  for (const char* address : {"0.0.0.0:0", "[::]:0", "127.example.com:0", "192.0.2.1:0"}) {
    const Finished refused = Run({std::string(SLUICE_BIN) + "/sluice-control-plane", "--state", state.path(),
                                  "--database", "host=/nowhere", "--admin", address});
    INFO(address << ": " << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find("is not loopback") != std::string::npos);
  }
}

TEST_CASE("bytes that are no gRPC leave both gRPC ports answering") {
  Platform platform;
  for (const uint16_t port : {platform.admin_port(), platform.sync_port()}) {
    WireClient client(port);
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(4096, '\0'));
    client.Closed(std::chrono::seconds(2));
  }
  platform.Ok({"gateway", "create", "shop", "--wait"});
}

}  // namespace
}  // namespace sluice::test
