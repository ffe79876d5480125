// What a gRPC client sees of a service behind a gateway.

#include "catch2/catch.hpp"
#include "tests/data-plane/grpc/calls.h"
#include "tests/support/process.h"

namespace sluice::test {
namespace {

TEST_CASE("a unary call passes through a gateway") {
  Calls calls({.tls = GENERATE(false, true)});
  const grpc::Status status = calls.Check();
  INFO(status.error_message());
  CHECK(status.ok());
}

TEST_CASE("a stream in both directions stays open while the configuration changes") {
  Calls calls({.tls = GENERATE(false, true)});
  grpc::ClientContext context;
  auto stub = Sync::NewStub(calls.Channel());
  Stream stream = stub->Stream(&context);
  CHECK(Say(stream, "one") == "one");
  calls.node.Publish(calls.Gateway(R"(routes { paths: "/more" } )"));
  CHECK(Say(stream, "two") == "two");
  stream->WritesDone();
  CHECK(stream->Finish().ok());
}

TEST_CASE("a server's status comes back whole, after messages and without any") {
  Calls calls({.tls = GENERATE(false, true)});
  auto stub = Sync::NewStub(calls.Channel());
  for (const bool message_first : {true, false}) {
    grpc::ClientContext context;
    Stream stream = stub->Stream(&context);
    if (message_first) CHECK(Say(stream, "one") == "one");
    CHECK(Say(stream, "end") == "nothing");
    const grpc::Status status = stream->Finish();
    CHECK(status.error_code() == grpc::StatusCode::ABORTED);
    CHECK(status.error_message() == "as you wish: 100 %");
  }
}

TEST_CASE("a message larger than every window reaches a client that reads late") {
  Calls calls({.tls = GENERATE(false, true)});
  grpc::ClientContext context;
  auto stub = Sync::NewStub(calls.Channel());
  Stream stream = stub->Stream(&context);
  NodeMessage ask;
  ask.mutable_resume()->set_node("big");
  for (int i = 0; i < 4; ++i) CHECK(stream->Write(ask));
  ControlMessage answer;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(stream->Read(&answer));
    CHECK(answer.update().config().size() == 3'000'000);
  }
  CHECK(Say(stream, std::string(2'000'000, 'y')).size() == 2'000'000);
  context.TryCancel();
}

TEST_CASE("a client's cancellation reaches the server") {
  Calls calls({.tls = GENERATE(false, true)});
  grpc::ClientContext context;
  auto stub = Sync::NewStub(calls.Channel());
  Stream stream = stub->Stream(&context);
  CHECK(Say(stream, "one") == "one");
  context.TryCancel();
  CHECK(stream->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(calls.echo.cancelled.get_future().wait_for(std::chrono::seconds(15)) == std::future_status::ready);
}

TEST_CASE("the deadline of a call is the server's too") {
  Calls calls({.tls = GENERATE(false, true)});
  grpc::ClientContext context;
  const auto deadline = std::chrono::system_clock::now() + std::chrono::minutes(1);
  context.set_deadline(deadline);
  auto stub = Sync::NewStub(calls.Channel());
  Stream stream = stub->Stream(&context);
  CHECK(Say(stream, "one") == "one");
  const auto seen = calls.echo.deadline.get_future().get();
  CHECK(seen < deadline + std::chrono::seconds(30));
  context.TryCancel();
}

TEST_CASE("what the gateway itself answers is a status of gRPC") {
  Calls calls({.plan = "requests_per_second: 1"});
  CHECK(calls.Check("b.test").error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(calls.Check().ok());
  const grpc::Status limited = calls.Check();
  CHECK(limited.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(limited.error_message() == "API rate limit exceeded");
}

TEST_CASE("a server that is gone is UNAVAILABLE") {
  Calls calls;
  calls.StopServer();
  CHECK(calls.Check().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("the access log tells a call's status, the server's and the gateway's own") {
  TempDir folder;
  {
    Calls calls({.plan = "requests_per_second: 2", .access_log = folder / "access.log"});
    CHECK(calls.Check().ok());
    grpc::ClientContext context;
    Stream stream = Sync::NewStub(calls.Channel())->Stream(&context);
    CHECK(Say(stream, "end") == "nothing");
    CHECK(stream->Finish().error_code() == grpc::StatusCode::ABORTED);
    CHECK(calls.Check().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  const std::string log = ReadFile(folder / "access.log");
  CHECK(log.find(R"("status":200,"grpc_status":0,"source":"upstream")") != std::string::npos);
  CHECK(log.find(R"("status":200,"grpc_status":10,"source":"upstream")") != std::string::npos);
  CHECK(log.find(R"("status":429,"grpc_status":8,"source":"gateway")") != std::string::npos);
}

TEST_CASE("a server whose certificate is another's is UNAVAILABLE") {
  Calls calls({.tls = true, .certificate_for = "another.localhost"});
  CHECK(calls.Check().error_code() == grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace sluice::test
