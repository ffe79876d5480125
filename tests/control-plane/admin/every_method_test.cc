// What is true of every method, by walking the service descriptors over real gRPC.

#include "grpcpp/generic/generic_stub.h"
#include "tests/control-plane/admin/fixture.h"
#include "control-plane/access/rules.h"

using namespace sluice;
using test::Served;

namespace {

// The status of one call with an empty request.
grpc::Status CallEmpty(Served& plane, const std::string& method, const std::string& token) {
  grpc::GenericStub stub(plane.channel);
  const auto context = Served::As(token);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Status status;
  const grpc::Slice empty;
  const auto call = stub.PrepareUnaryCall(context.get(), method, {&empty, 1}, &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

}  // namespace

TEST_CASE("every method without a token is unauthenticated") {
  Served plane;
  for (const access::MethodRule& rule : access::MethodRules()) {
    INFO(rule.method);
    CHECK(CallEmpty(plane, std::string(rule.method), "").error_code() == grpc::StatusCode::UNAUTHENTICATED);
  }
}

TEST_CASE("every method with an unknown token is unauthenticated") {
  Served plane;
  for (const access::MethodRule& rule : access::MethodRules()) {
    INFO(rule.method);
    const grpc::Status status = CallEmpty(plane, std::string(rule.method), "a-token-that-nobody-made");
    CHECK(status.error_code() == grpc::StatusCode::UNAUTHENTICATED);
  }
}

TEST_CASE("a viewer is refused by exactly the methods that need more, and each refusal is audited") {
  Served plane;
  size_t refused = 0;
  for (const access::MethodRule& rule : access::MethodRules()) {
    INFO(rule.method);
    const grpc::Status status = CallEmpty(plane, std::string(rule.method), test::kViewer);
    const bool denied = status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
    CHECK(denied == (rule.role != access::Role::kViewer));
    if (denied) ++refused;
  }
  CHECK(plane.store.audits().size() == refused);
  CHECK(plane.store.audits().at(0).outcome == "PERMISSION_DENIED");
  CHECK(plane.store.audits().at(0).actor == "vera");
}

TEST_CASE("an operator may not make tokens") {
  Served plane;
  const grpc::Status status = CallEmpty(plane, "/sluice.admin.v1.Access/CreateToken", test::kOperator);
  CHECK(status.error_code() == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("with the database away every method answers, none with a crash or a hang") {
  Served plane;
  CallEmpty(plane, "/sluice.admin.v1.Plugins/ListPlugins", test::kAdmin);  // the token is remembered
  plane.store.down = true;
  for (const access::MethodRule& rule : access::MethodRules()) {
    const grpc::Status status = CallEmpty(plane, std::string(rule.method), test::kAdmin);
    INFO(rule.method << " " << status.error_code() << " " << status.error_message());
    const grpc::StatusCode code = status.error_code();
    const bool fine = code == grpc::StatusCode::OK || code == grpc::StatusCode::UNAVAILABLE ||
                      code == grpc::StatusCode::INVALID_ARGUMENT || code == grpc::StatusCode::NOT_FOUND;
    CHECK(fine);
  }
}

TEST_CASE("a request that is no message is refused and the server serves on") {
  Served plane;
  grpc::GenericStub stub(plane.channel);
  const auto context = Served::As(test::kAdmin);
  const grpc::Slice slice("\xff\xff\xff");
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(context.get(), "/sluice.admin.v1.Gateways/GetGateway", {&slice, 1}, &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  CHECK_FALSE(status.ok());
  CHECK(CallEmpty(plane, "/sluice.admin.v1.Plugins/ListPlugins", test::kAdmin).ok());
}
