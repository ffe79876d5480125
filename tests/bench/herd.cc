// Many nodes that come at once, without serving anything: each has joined, knows the revision line up to so many
// changes before its head, opens its stream and reads until it has caught up, coming again when it is told to. Prints
// one line of JSON.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/rpc/hint.h"
#include "common/rpc/server.h"
#include "common/x509/request.h"
#include "sluice/admin/v1/nodes.grpc.pb.h"
#include "sluice/join/v1/join.grpc.pb.h"
#include "sluice/sync/v1/sync.grpc.pb.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;
using sync::v1::ControlMessage;
using sync::v1::NodeMessage;

constexpr auto kPatience = std::chrono::seconds(300);

struct Target {
  std::string admin, token, sync;
};

int Fail(const std::string& what) {
  std::fprintf(stderr, "bench-herd: %s\n", what.c_str());
  return 1;
}

std::string ReadWord(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

// All streams of one test: how many are still to catch up, and when each did.
class Herd {
 public:
  explicit Herd(size_t size) : left_(size) {}
  void CaughtUp(size_t bytes) {
    std::lock_guard lock(mutex_);
    seconds_.push_back(std::chrono::duration<double>(Clock::now() - began_).count());
    bytes_ += bytes;
    if (--left_ == 0) done_.notify_all();
  }
  void TurnedAway() { ++turned_away_; }
  bool Wait() {
    std::unique_lock lock(mutex_);
    return done_.wait_for(lock, kPatience, [&] { return left_ == 0; });
  }
  void Print(size_t behind) {
    std::lock_guard lock(mutex_);
    const double half = seconds_[seconds_.size() / 2];
    std::printf("{\"nodes\":%zu,\"behind\":%zu,\"half_synced_s\":%.2f,", seconds_.size(), behind, half);
    std::printf("\"synced_s\":%.2f,\"turned_away\":%d,\"mb\":%.1f}\n", seconds_.back(), turned_away_.load(),
                static_cast<double>(bytes_) / 1e6);
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  size_t left_;
  size_t bytes_ = 0;
  std::atomic<int> turned_away_{0};
  const Clock::time_point began_ = Clock::now();
  std::vector<double> seconds_;
};

// One node: joined, then a stream at a time on a thread of gRPC's.
class Node {
 public:
  Node(const Target& target, std::string name) : target_(target), name_(std::move(name)) {}

  bool Join(admin::v1::Nodes::Stub& admin) {
    admin::v1::CreateJoinTokenResponse token;
    grpc::ClientContext create, join;
    create.AddMetadata("authorization", "Bearer " + target_.token);
    if (!admin.CreateJoinToken(&create, {}, &token).ok()) return false;
    const x509::Key key = x509::MakeKey();
    join::v1::JoinRequest request;
    request.set_token(token.token());
    request.set_node(name_);
    request.set_request(x509::MakeRequest(key));
    join::v1::Membership answer;
    const std::string pin = token.token().substr(token.token().rfind('.') + 1);
    const auto channel = rpc::MakeChannel(target_.sync, rpc::PinnedCredentials(pin, "127.0.0.1"));
    if (!join::v1::Join::NewStub(channel)->Join(&join, request, &answer).ok()) return false;
    grpc::SslCredentialsOptions options;
    for (const std::string& authority : answer.authorities()) options.pem_root_certs += authority;
    options.pem_cert_chain = answer.certificate();
    options.pem_private_key = x509::ToPem(key);
    credentials_ = grpc::SslCredentials(options);
    return true;
  }

  // Where the revision line is, by the first word of a stream.
  std::string Epoch() {
    grpc::ClientContext context;
    const auto stream = Stub()->Stream(&context);
    stream->Write(Hello("", 0));
    ControlMessage welcome;
    const std::string epoch = stream->Read(&welcome) ? welcome.welcome().epoch() : "";
    context.TryCancel();
    stream->Finish();
    return epoch;
  }

  // Until it has caught up; then the stream stays.
  void Come(const std::string& epoch, int64_t revision, Herd& herd) {
    thread_ = std::thread([=, this, &herd] {
      while (!Stream(epoch, revision, herd)) {
      }
    });
  }
  void Leave() {
    {
      std::lock_guard lock(mutex_);
      if (context_ != nullptr) context_->TryCancel();
    }
    thread_.join();
  }

 private:
  std::unique_ptr<sync::v1::Sync::Stub> Stub() {
    return sync::v1::Sync::NewStub(rpc::MakeChannel(target_.sync, credentials_));
  }
  NodeMessage Hello(const std::string& epoch, int64_t revision) const {
    NodeMessage message;
    message.mutable_resume()->set_node(name_);
    message.mutable_resume()->set_build("bench");
    message.mutable_resume()->set_epoch(epoch);
    message.mutable_resume()->set_revision(revision);
    return message;
  }

  // False: it was turned away, and has waited for as long as it was told.
  bool Stream(const std::string& epoch, int64_t revision, Herd& herd) {
    grpc::ClientContext context;
    {
      std::lock_guard lock(mutex_);
      context_ = &context;
    }
    const auto stub = Stub();
    const auto stream = stub->Stream(&context);
    stream->Write(Hello(epoch, revision));
    size_t bytes = 0;
    bool caught_up = false;
    for (ControlMessage message; stream->Read(&message);) {
      bytes += message.ByteSizeLong();
      if (!message.has_caught_up()) continue;
      NodeMessage applied;
      applied.mutable_applied()->set_revision(message.caught_up().revision());
      stream->Write(applied);
      if (!std::exchange(caught_up, true)) herd.CaughtUp(bytes);
    }
    const grpc::Status ended = stream->Finish();
    {
      std::lock_guard lock(mutex_);
      context_ = nullptr;
    }
    if (caught_up) return true;
    herd.TurnedAway();
    const auto asked = std::max<Duration>(rpc::HintOf(ended).retry_after, std::chrono::milliseconds(200));
    std::this_thread::sleep_for(asked + asked * static_cast<int64_t>(Random64() % 1000) / 1000);  // as nodes do
    return false;
  }

  const Target& target_;
  const std::string name_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::mutex mutex_;
  grpc::ClientContext* context_ = nullptr;
  std::thread thread_;
};

// `behind` < 0: they have nothing.
int Main(const Target& target, int count, int behind) {
  const auto admin = admin::v1::Nodes::NewStub(rpc::MakeChannel(target.admin, *rpc::ClientCredentials({})));
  const std::string prefix = Cat("herd-", RandomHex(8), "-");
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < count; ++i) {
    nodes.push_back(std::make_unique<Node>(target, Cat(prefix, i)));
    if (!nodes.back()->Join(*admin)) return Fail(Cat("node ", i, " cannot join"));
  }
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + target.token);
  admin::v1::ListNodesResponse fleet;
  if (!admin->ListNodes(&context, {}, &fleet).ok()) return Fail("the nodes cannot be listed");
  const std::string epoch = nodes.front()->Epoch();
  if (epoch.empty()) return Fail("no stream is answered");
  const int64_t from = behind < 0 ? 0 : std::max<int64_t>(1, fleet.head_revision() - behind);
  Herd herd(nodes.size());
  for (const auto& node : nodes) node->Come(epoch, from, herd);
  const bool all = herd.Wait();
  for (const auto& node : nodes) node->Leave();
  if (!all) return Fail("some nodes have not caught up");
  herd.Print(static_cast<size_t>(std::max(behind, 0)));
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: bench-herd ADMIN TOKEN-FILE SYNC NODES BEHIND  (-1: from nothing)\n");
    return 64;
  }
  const sluice::bench::Target target{argv[1], sluice::bench::ReadWord(argv[2]), argv[3]};
  return sluice::bench::Main(target, std::atoi(argv[4]), std::atoi(argv[5]));
}
