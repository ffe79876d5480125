// The whole stream over real gRPC with mutual TLS, against a node that is played by the test.

#include "control-plane/sync/service.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_builder.h>

#include <future>

#include "catch2/catch.hpp"
#include "common/rpc/hint.h"
#include "common/rpc/server.h"
#include "control-plane/fleet/server_files.h"
#include "sluice/sync/v1/sync.grpc.pb.h"
#include "tests/support/fake_store.h"
#include "tests/support/process.h"

namespace sluice::sync {
namespace {

const SystemClock kClock;

class ControlPlane {
 public:
  explicit ControlPlane(size_t max_streams = kMaxStreams, HerdLimits herd = {}) {
    REQUIRE(trust_.Open(folder_ / "pki").ok());
    REQUIRE(files_.Update(trust_).ok());
    service_ = Service::Make({index_, registry_, recorder_, usage_, kClock, trust_, {"e1", {}}, max_streams, herd});
    server_ = *rpc::Server::Start(
        "127.0.0.1:0", *rpc::NodePortCredentials({files_.certificate(), files_.key(), files_.authorities()}),
        [&](grpc::ServerBuilder& builder) { builder.RegisterService(&service_->grpc()); });
  }
  ~ControlPlane() { service_->Shutdown(); }

  void Commit(int64_t expected_version) {
    store::Write write;
    write.config.set_id("g");
    write.config.set_name("g");
    write.config.set_kind(config::v1::SERVERLESS);
    write.expected_version = expected_version;
    REQUIRE(store_.Commit(write).ok());
    REQUIRE(index_.Refresh().ok());
  }
  // Credentials of a node, signed by our authority or by a stranger's.
  rpc::TlsFiles NodeFiles(const std::string& name, bool stranger = false, const std::string& scope = "cell/default") {
    const auto other = fleet::Authority::Make(kClock);
    const fleet::Authority& signer = stranger ? other : *trust_.newest();
    const x509::Key key = x509::MakeKey();
    auto issued = signer.IssueNode(name, *store::Scope::Parse(scope), key, kClock.WallNow() + fleet::kDay);
    REQUIRE(issued.ok());
    test::WriteFile(folder_ / name, x509::ToPem(key) + *issued);
    return {folder_ / name, folder_ / name, files_.authorities()};
  }
  rpc::TlsFiles ServerFiles() const { return {files_.certificate(), files_.key(), files_.authorities()}; }
  std::shared_ptr<grpc::Channel> Channel(const rpc::TlsFiles& files) const {
    return rpc::MakeChannel("127.0.0.1:" + std::to_string(server_->port()), *rpc::ClientCredentials(files));
  }
  Registry& registry() { return registry_; }
  Service& service() { return *service_; }
  test::FakeStore& store() { return store_; }
  fleet::Trust& trust() { return trust_; }

 private:
  test::TempDir folder_;
  test::FakeStore store_;
  index::Index index_{store_};
  Registry registry_;
  Recorder recorder_{store_};
  UsageKeeper usage_{store_};
  fleet::Trust trust_{store_.identities(), kClock};
  fleet::ServerFiles files_{folder_.path(), "127.0.0.1:0", {"127.0.0.1"}, kClock};
  std::unique_ptr<Service> service_;
  std::unique_ptr<rpc::Server> server_;
};

class Node {
 public:
  Node(const ControlPlane& plane, const rpc::TlsFiles& files) : stub_(v1::Sync::NewStub(plane.Channel(files))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream_ = stub_->Stream(&context_);
  }
  ~Node() { context_.TryCancel(); }
  void Resume(const std::string& name, int64_t revision = 0) {
    v1::NodeMessage message;
    message.mutable_resume()->set_epoch("e1");
    message.mutable_resume()->set_revision(revision);
    message.mutable_resume()->set_node(name);
    message.mutable_resume()->set_build("0.1.0");
    stream_->Write(message);
  }
  void Applied(int64_t revision) {
    v1::NodeMessage message;
    message.mutable_applied()->set_revision(revision);
    stream_->Write(message);
  }
  void Rejected(int64_t revision) {
    v1::NodeMessage message;
    message.mutable_rejected()->set_gateway_id("g");
    message.mutable_rejected()->set_revision(revision);
    message.mutable_rejected()->set_reason("BAD");
    stream_->Write(message);
  }
  void Used(int64_t number, uint64_t requests) {
    v1::NodeMessage message;
    message.mutable_usage()->set_process("p");
    message.mutable_usage()->set_number(number);
    message.mutable_usage()->add_gateways()->set_gateway_id("g");
    message.mutable_usage()->mutable_gateways(0)->set_requests(requests);
    stream_->Write(message);
  }
  v1::ControlMessage Read() {
    v1::ControlMessage message;
    REQUIRE(stream_->Read(&message));
    return message;
  }
  // Reads to the end.
  grpc::Status End() {
    v1::ControlMessage ignored;
    while (stream_->Read(&ignored)) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<v1::Sync::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::NodeMessage, v1::ControlMessage>> stream_;
};

MonotonicTime Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

TEST_CASE("a node is welcomed, sent what there is, and sent what comes") {
  ControlPlane plane;
  plane.Commit(0);
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n");
  CHECK(node.Read().welcome().epoch() == "e1");
  CHECK(node.Read().has_trust());
  CHECK(node.Read().update().revision() == 1);
  CHECK(node.Read().caught_up().revision() == 1);
  plane.Commit(1);
  const v1::ControlMessage message = node.Read();
  config::v1::GatewayConfig config;
  REQUIRE(config.ParseFromString(message.update().config()));
  CHECK(config.version() == 2);
  CHECK(node.Read().caught_up().revision() == 2);
}

TEST_CASE("what a node applied and rejected is seen by who waits for it") {
  ControlPlane plane;
  plane.Commit(0);
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  CHECK(plane.registry().Rollout("g", 1).pending == std::vector<std::string>{"n"});
  node.Applied(1);
  CHECK(plane.registry().WaitRollout("g", 1, Soon()).applied == std::vector<std::string>{"n"});
  node.Rejected(2);
  CHECK(plane.registry().WaitRollout("g", 2, Soon()).rejected.at(0).second.reason == "BAD");
}

TEST_CASE("a node that comes back is pending until it said again what it refused and what it applied") {
  ControlPlane plane;
  plane.Commit(0);
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n", 1);
  REQUIRE_FALSE(node.Read().welcome().full());
  CHECK(plane.registry().Rollout("g", 1).pending == std::vector<std::string>{"n"});
  node.Rejected(1);
  node.Applied(1);
  CHECK(plane.registry().WaitRollout("g", 1, Soon()).rejected.size() == 1);
}

TEST_CASE("a node that claims another's name is refused") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("m");
  const grpc::Status status = node.End();
  CHECK(status.error_code() == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(status.error_message() == "the certificate is of node \"n\", not of \"m\"");
}

TEST_CASE("a node is told whom to trust, and again when that changes") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  CHECK(node.Read().trust().authorities_size() == 1);
  REQUIRE(node.Read().has_caught_up());
  REQUIRE(plane.trust().Rotate({"", "", "", "", "", "", ""}).ok());
  plane.service().Recheck();
  CHECK(node.Read().trust().authorities(1) == plane.trust().newest()->certificate());
}

TEST_CASE("a node that reports about a gateway of others is refused") {
  ControlPlane plane;
  plane.Commit(0);
  Node node(plane, plane.NodeFiles("n", false, "gateway/own"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  node.Rejected(1);
  CHECK(node.End().error_code() == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a certificate of a stranger's authority does not connect") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n", true));
  CHECK(node.End().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("a node without a certificate gets no stream") {
  ControlPlane plane;
  Node node(plane, {"", "", plane.NodeFiles("n").authority});
  CHECK(node.End().error_code() == grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("the stream of a node that is revoked ends, and it gets no other") {
  ControlPlane plane;
  const rpc::TlsFiles files = plane.NodeFiles("n");
  Node node(plane, files);
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  plane.store().identities().Revoke(x509::KeyHash(*x509::KeyFromPem(test::ReadFile(files.key))));
  REQUIRE(plane.trust().Refresh().ok());
  plane.service().Recheck();
  CHECK(node.End().error_code() == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(Node(plane, files).End().error_code() == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a server's certificate does not pass for a node's") {
  ControlPlane plane;
  Node node(plane, plane.ServerFiles());
  CHECK(node.End().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("a stream that does not begin with Resume is refused") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n"));
  node.Applied(1);
  CHECK(node.End().error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a newer stream of a node ends the older one, and the node stays connected") {
  ControlPlane plane;
  Node older(plane, plane.NodeFiles("n"));
  older.Resume("n");
  REQUIRE(older.Read().has_welcome());
  Node newer(plane, plane.NodeFiles("n"));
  newer.Resume("n");
  REQUIRE(newer.Read().has_welcome());
  CHECK(older.End().error_code() == grpc::StatusCode::ABORTED);
  newer.Applied(7);
  CHECK(plane.registry().WaitRollout("g", 7, Soon()).applied.size() == 1);
}

TEST_CASE("streams up to the cap are served and one past it is turned away") {
  ControlPlane plane(1);
  Node first(plane, plane.NodeFiles("n"));
  first.Resume("n");
  REQUIRE(first.Read().has_welcome());
  Node second(plane, plane.NodeFiles("m"));
  CHECK(second.End().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(plane.service().totals().refused_streams == 1);
}

TEST_CASE("who comes with too many others, or wants everything with too many others, is told when to ask again") {
  ControlPlane plane(kMaxStreams, {.streams_per_second = 0, .burst = 2, .full_syncs = 0});
  plane.Commit(0);
  Node up_to_date(plane, plane.NodeFiles("n"));
  up_to_date.Resume("n", 1);
  CHECK(up_to_date.Read().has_welcome());
  Node fresh(plane, plane.NodeFiles("m"));
  fresh.Resume("m");
  Node late(plane, plane.NodeFiles("o"));
  for (Node* node : {&fresh, &late}) {
    const grpc::Status status = node->End();
    CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(rpc::HintOf(status).retry_after == Herd::kRetryAfter);
  }
  CHECK(plane.service().totals().refused_streams == 2);
}

TEST_CASE("a full stream that has caught up makes room for the next") {
  ControlPlane plane(kMaxStreams, {.full_syncs = 1});
  plane.Commit(0);
  for (const std::string name : {"n", "m"}) {
    Node node(plane, plane.NodeFiles(name));
    node.Resume(name);
    CHECK(node.Read().welcome().full());
    CHECK(node.Read().has_trust());
    CHECK(node.Read().update().revision() == 1);
    CHECK(node.Read().has_caught_up());
  }
}

TEST_CASE("a node that is ahead of the database is counted and sent everything") {
  ControlPlane plane;
  plane.Commit(0);
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n", 7);
  CHECK(node.Read().welcome().full());
  CHECK(plane.service().totals().nodes_ahead == 1);
}

TEST_CASE("a node is told which reports of usage are kept, and one that it repeats is counted once") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  REQUIRE(node.Read().has_trust());
  REQUIRE(node.Read().has_caught_up());
  for (int64_t number : {1, 1, 2}) {
    node.Used(number, 3);
    CHECK(node.Read().usage_kept().number() == number);
  }
  CHECK(plane.store().GetUsage("g", store::UsageStep::kHour, {}, 9)->at(0).counts.requests == 6);
}

TEST_CASE("what a node says of gateways that others serve is not counted") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n", false, "gateway/own"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  REQUIRE(node.Read().has_trust());
  REQUIRE(node.Read().has_caught_up());
  node.Used(1, 3);
  CHECK(node.Read().usage_kept().number() == 1);
  CHECK(plane.store().GetUsage("g", store::UsageStep::kHour, {}, 9)->empty());
}

TEST_CASE("shutting down ends every stream as unavailable and leaves no node connected") {
  ControlPlane plane;
  Node node(plane, plane.NodeFiles("n"));
  node.Resume("n");
  REQUIRE(node.Read().has_welcome());
  auto end = std::async(std::launch::async, [&] { return node.End(); });
  plane.service().Shutdown();
  CHECK(end.get().error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(plane.registry().Nodes().empty());
}

TEST_CASE("a node is in the store once it was seen") {
  test::FakeStore store;
  {
    Recorder recorder(store);
    recorder.Seen({"n", "0.1.0", "10.0.0.1:8100", {}});
  }
  CHECK(store.ListNodes()->at(0).build == "0.1.0");
}

}  // namespace
}  // namespace sluice::sync
