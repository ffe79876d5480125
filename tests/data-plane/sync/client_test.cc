#include "data-plane/sync/client.h"

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "catch2/catch.hpp"
#include "data-plane/sync/addresses.h"
#include "sluice/sync/v1/sync.grpc.pb.h"
#include "tests/support/eventually.h"

namespace sluice::sync {
namespace {

class FakePublisher final : public Publisher {
 public:
  void Publish(std::vector<GatewayChange>, std::function<void()> done) override { done(); }
  void SetReady() override {}
};

// Welcomes a node, catches it up at revision 7, and ends the stream when the node has applied that.
class FakeControlPlane final : public v1::Sync::Service {
 public:
  explicit FakeControlPlane(int port = 0) {
    auto credentials = rpc::ServerCredentials({});
    REQUIRE(credentials.ok());
    auto server = rpc::Server::Start("127.0.0.1:" + std::to_string(port), *credentials,
                                     [this](grpc::ServerBuilder& builder) { builder.RegisterService(this); });
    REQUIRE(server.ok());
    server_ = *std::move(server);
  }
  int port() const { return server_->port(); }

  grpc::Status Stream(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::ControlMessage, v1::NodeMessage>* stream) override {
    v1::NodeMessage message;
    if (!stream->Read(&message) || !message.has_resume()) return grpc::Status::OK;
    v1::ControlMessage welcome, caught_up;
    welcome.mutable_welcome()->set_epoch("e");
    caught_up.mutable_caught_up()->set_revision(7);
    const v1::Resume resume = message.resume();
    stream->Write(welcome);
    stream->Write(caught_up);
    if (!stream->Read(&message) || message.applied().revision() != 7) return grpc::Status::OK;
    std::lock_guard lock(mutex_);
    resumes_.push_back(resume);
    arrived_.notify_all();
    return grpc::Status::OK;
  }

  // What a node whose stream has come to its end began it with. Waits for it.
  v1::Resume Next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !resumes_.empty(); });
    const v1::Resume resume = resumes_.front();
    resumes_.pop_front();
    return resume;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<v1::Resume> resumes_;
  std::unique_ptr<rpc::Server> server_;
};

struct Node {
  explicit Node(int port) : Node(std::vector{port}) {}
  explicit Node(const std::vector<int>& ports) {
    std::vector<std::string> addresses;
    for (int port : ports) addresses.push_back("127.0.0.1:" + std::to_string(port));
    auto started = Client::Start({.control_planes = addresses,
                                  .tls = {},
                                  .node = "node-1",
                                  .build = "0.1.0",
                                  .address = "127.0.0.1:8100"},
                                 applier, status);
    REQUIRE(started.ok());
    client = *std::move(started);
  }
  FakePublisher publisher;
  Status status;
  SystemClock clock;
  Applier applier{{publisher, {}, status, clock, [](std::function<std::string()>) {}}};
  std::unique_ptr<Client> client;
};

TEST_CASE("a node says who it is, and comes back with what it has when its stream ends") {
  FakeControlPlane control_plane;
  Node node(control_plane.port());
  const v1::Resume first = control_plane.Next();
  CHECK(first.node() == "node-1");
  CHECK(first.build() == "0.1.0");
  CHECK(first.address() == "127.0.0.1:8100");
  CHECK(first.epoch() == "");
  CHECK(first.revision() == 0);
  const v1::Resume second = control_plane.Next();
  CHECK(second.epoch() == "e");
  CHECK(second.revision() == 7);
}

TEST_CASE("a node that found no control plane connects when there is one") {
  int port = 0;
  {
    FakeControlPlane control_plane;
    port = control_plane.port();
  }
  Node node(port);
  REQUIRE(test::Eventually([&] { return node.status.reconnects >= 2; }));  // refused twice
  FakeControlPlane control_plane(port);
  CHECK(control_plane.Next().node() == "node-1");
}

TEST_CASE("a node asks one control plane after the other, whichever it begins with") {
  FakeControlPlane first, second;
  Node node({1, first.port(), second.port()});
  CHECK(first.Next().node() == "node-1");
  CHECK(second.Next().node() == "node-1");
  CHECK(first.Next().revision() == 7);
}

TEST_CASE("the wait doubles only when every control plane has failed") {
  const Addresses three({"a", "b", "c"});
  CHECK(three.Rounds(0) == 0);
  CHECK(three.Rounds(2) == 0);
  CHECK(three.Rounds(3) == 1);
  CHECK(three.Rounds(7) == 2);
}

TEST_CASE("a client ends while it waits for a control plane that is not there") {
  Node node(1);
  node.client.reset();
  CHECK_FALSE(node.status.connected);
}

TEST_CASE("certificates that cannot be read are an error that names the file") {
  FakePublisher publisher;
  Status status;
  SystemClock clock;
  Applier applier({publisher, {}, status, clock, [](std::function<std::string()>) {}});
  auto client = Client::Start({.control_planes = {"127.0.0.1:1"}, .tls = {"/no/cert.pem", "/no/key.pem", "/no/ca.pem"}},
                              applier, status);
  REQUIRE_FALSE(client.ok());
  CHECK(std::string(client.status().message()).find("/no/") != std::string::npos);
}

}  // namespace
}  // namespace sluice::sync
