#pragma once

// Calls of a real gRPC client through a gateway to a real gRPC server, in clear text or over TLS on both sides. Test
// thread only.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "sluice/sync/v1/sync.grpc.pb.h"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/node.h"

namespace sluice::test {

using sync::v1::ControlMessage;
using sync::v1::NodeMessage;
using sync::v1::Sync;

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

struct CallOptions {
  bool tls = false;
  std::string plan = {};                              // of the gateway, in text form
  std::string certificate_for = "service.localhost";  // the server's; what the gateway expects is this default
  std::string access_log = "off";
};

struct Calls {
  explicit Calls(CallOptions options = {});
  ~Calls();
  void StopServer();
  std::string Gateway(const std::string& more = "") const;  // in text form
  std::shared_ptr<grpc::Channel> Channel(const std::string& host = "a.test");
  grpc::Status Check(const std::string& host = "a.test");  // one unary call

  std::unique_ptr<grpc::Server> Serve();
  NodeOptions MakeNodeOptions();

  const CallOptions options;
  io::TestAuthority authority;
  int port = 0;  // of the server
  Echo echo;
  std::unique_ptr<grpc::Server> server;
  Node node;
};

using Stream = std::unique_ptr<grpc::ClientReaderWriter<NodeMessage, ControlMessage>>;

// Says a text and reads the answer; "nothing" where there is none.
std::string Say(Stream& stream, const std::string& text);

}  // namespace sluice::test
