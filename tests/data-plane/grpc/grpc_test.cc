// Calls of a real gRPC client through a gateway to a real gRPC server.

#include <grpcpp/grpcpp.h>

#include <future>

#include "catch2/catch.hpp"
#include "grpc/health/v1/health.grpc.pb.h"
#include "sluice/sync/v1/sync.grpc.pb.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::sync::v1::ControlMessage;
using sluice::sync::v1::NodeMessage;
using sluice::sync::v1::Sync;
using sluice::test::Node;

namespace {

constexpr const char* kId = "11111111-1111-4111-8111-111111111111";

// Sends every text back; "end" ends with a status, "big" brings three megabytes.
class Echo final : public Sync::Service {
 public:
  grpc::Status Stream(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<ControlMessage, NodeMessage>* stream) override {
    if (!first_deadline_set_.exchange(true)) deadline.set_value(context->deadline());
    NodeMessage asked;
    while (stream->Read(&asked)) {
      const std::string& text = asked.resume().node();
      if (text == "end") return {grpc::StatusCode::ABORTED, "as you wish: 100 %"};
      ControlMessage answer;
      answer.mutable_update()->set_config(text == "big" ? std::string(3'000'000, 'x') : text);
      stream->Write(answer);
    }
    if (context->IsCancelled()) cancelled.set_value();
    return grpc::Status::OK;
  }
  std::promise<std::chrono::system_clock::time_point> deadline;
  std::promise<void> cancelled;

 private:
  std::atomic<bool> first_deadline_set_{false};
};

struct Calls {
  explicit Calls(const std::string& plan = "", const std::string& access_log = "off")
      : plan_(plan), server_(Serve()), node(Options(access_log)) {}
  ~Calls() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::unique_ptr<grpc::Server> Serve() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&echo);
    return builder.BuildAndStart();
  }
  // Any pause is a long one: a stream must not be held to the minimum rate of bodies.
  sluice::test::NodeOptions Options(const std::string& access_log) {
    sluice::test::NodeOptions options{.gateway = Gateway("")};
    options.options.access_log = access_log;
    options.options.times.body_rate_window = std::chrono::milliseconds(1);
    return options;
  }
  std::string Gateway(const std::string& more) {
    const std::string port = std::to_string(port_);
    return std::string(R"(id: ")") + kId + R"(" hosts: "a.test" plan { egress_allow: "127.0.0.1:)" + port + "\" " +
           plan_ + R"( } services { name: "s" protocol: "grpc" host: "127.0.0.1" retries: 0 port: )" + port +
           R"( } routes { paths: "/" protocols: "grpc" } )" + more;
  }
  std::shared_ptr<grpc::Channel> Channel(const std::string& authority = "a.test") {
    grpc::ChannelArguments arguments;
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(node.group().http_port()),
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::Status Check(const std::string& authority = "a.test") {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    return grpc::health::v1::Health::NewStub(Channel(authority))->Check(&context, {}, &response);
  }

  const std::string plan_;
  int port_ = 0;
  Echo echo;
  std::unique_ptr<grpc::Server> server_;
  Node node;
};

using Stream = std::unique_ptr<grpc::ClientReaderWriter<NodeMessage, ControlMessage>>;

std::string Say(Stream& stream, const std::string& text) {
  NodeMessage ask;
  ask.mutable_resume()->set_node(text);
  ControlMessage answer;
  if (!stream->Write(ask) || !stream->Read(&answer)) return "nothing";
  return answer.update().config();
}

}  // namespace

TEST_CASE("a unary call passes through a gateway") {
  Calls calls;
  const grpc::Status status = calls.Check();
  INFO(status.error_message());
  CHECK(status.ok());
}

TEST_CASE("a stream in both directions stays open while the configuration changes") {
  Calls calls;
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
  Calls calls;
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
  Calls calls;
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
  Calls calls;
  grpc::ClientContext context;
  auto stub = Sync::NewStub(calls.Channel());
  Stream stream = stub->Stream(&context);
  CHECK(Say(stream, "one") == "one");
  context.TryCancel();
  CHECK(stream->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(calls.echo.cancelled.get_future().wait_for(std::chrono::seconds(15)) == std::future_status::ready);
}

TEST_CASE("the deadline of a call is the server's too") {
  Calls calls;
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
  Calls calls("requests_per_second: 1");
  CHECK(calls.Check("b.test").error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(calls.Check().ok());
  const grpc::Status limited = calls.Check();
  CHECK(limited.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(limited.error_message() == "API rate limit exceeded");
}

TEST_CASE("a server that is gone is UNAVAILABLE") {
  Calls calls;
  calls.server_->Shutdown(std::chrono::system_clock::now());
  CHECK(calls.Check().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("the access log tells a call's status, the server's and the gateway's own") {
  sluice::test::TempDir folder;
  {
    Calls calls("requests_per_second: 2", folder / "access.log");
    CHECK(calls.Check().ok());
    grpc::ClientContext context;
    Stream stream = Sync::NewStub(calls.Channel())->Stream(&context);
    CHECK(Say(stream, "end") == "nothing");
    CHECK(stream->Finish().error_code() == grpc::StatusCode::ABORTED);
    CHECK(calls.Check().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  const std::string log = sluice::test::ReadFile(folder / "access.log");
  CHECK(log.find(R"("status":200,"grpc_status":0,"source":"upstream")") != std::string::npos);
  CHECK(log.find(R"("status":200,"grpc_status":10,"source":"upstream")") != std::string::npos);
  CHECK(log.find(R"("status":429,"grpc_status":8,"source":"gateway")") != std::string::npos);
}
