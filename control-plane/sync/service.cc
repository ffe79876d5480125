#include "control-plane/sync/service.h"

#include <utility>
#include <vector>

#include "common/observe/log.h"
#include "common/rpc/hint.h"
#include "common/rpc/peer.h"
#include "control-plane/sync/stream.h"
#include "sluice/sync/v1/sync.grpc.pb.h"

namespace sluice::sync {
namespace {

using GrpcService = v1::Sync::WithRawCallbackMethod_Stream<v1::Sync::Service>;

// Ends at once with a status.
class Refusal final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

class StreamService final : public Service, public GrpcService, public StreamOwner {
 public:
  explicit StreamService(ServiceDeps deps) : deps_(std::move(deps)), herd_(deps_.clock, deps_.herd) {
    deps_.usage.OnKept([this](const store::UsageReport& report) { Kept(report); });
  }
  ~StreamService() override { deps_.usage.OnKept(nullptr); }

  grpc::Service& grpc() override { return *this; }
  const Totals& totals() const override { return totals_; }
  Totals& totals() override { return totals_; }
  const ServiceDeps& deps() const override { return deps_; }
  Herd& herd() override { return herd_; }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Stream(grpc::CallbackServerContext* context) override {
    auto peer = deps_.trust.Identify(rpc::PeerCertificate(*context));
    if (!peer.ok()) {
      log::Warning("node refused", {{"peer", context->peer()}, {"reason", std::string(peer.status().message())}});
      return Refuse(peer.status());
    }
    std::lock_guard lock(mutex_);
    if (stopping_) return Refuse(absl::UnavailableError("the control plane is stopping"));
    if (streams_.size() >= deps_.max_streams) {
      return Refuse(absl::ResourceExhaustedError("this replica serves as many nodes as it can"));
    }
    if (!herd_.AdmitStream()) {
      return Refuse(absl::UnavailableError("many nodes come at once; try again"), Herd::kRetryAfter);
    }
    auto* stream = new sync::Stream(*this, *std::move(peer), context->peer());
    streams_.insert(stream);
    return stream;
  }

  void Claim(const std::string& node, sync::Stream* stream) override {
    std::lock_guard lock(mutex_);
    sync::Stream*& current = current_[node];
    if (current != nullptr) {
      current->Close({grpc::StatusCode::ABORTED, "the node opened a newer stream"});
    }
    current = stream;
    deps_.registry.Connected(stream->status());
  }

  bool Owns(const std::string& node, const sync::Stream* stream) override {
    std::lock_guard lock(mutex_);
    const auto current = current_.find(node);
    return current != current_.end() && current->second == stream;
  }

  void Gone(const std::string& node, sync::Stream* stream) override {
    std::lock_guard lock(mutex_);
    const auto current = current_.find(node);
    if (current != current_.end() && current->second == stream) {
      current_.erase(current);
      deps_.registry.Disconnected(node);
    }
    streams_.erase(stream);
    if (streams_.empty()) empty_.notify_all();
  }

  void Recheck() override {
    std::lock_guard lock(mutex_);
    for (sync::Stream* stream : streams_) {
      const absl::Status good = deps_.trust.Check(stream->peer());
      if (good.ok()) {
        stream->Pump();
      } else {
        stream->Close(ToGrpc(good));
      }
    }
  }

  void Shutdown() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "the control plane is stopping");
    for (sync::Stream* stream : streams_) stream->Close(status);
    // What a peer that does not read holds up is cancelled with the server.
    empty_.wait_for(lock, kShutdownWait, [&] { return streams_.empty(); });
  }

 private:
  void Kept(const store::UsageReport& report) {
    std::lock_guard lock(mutex_);
    const auto current = current_.find(report.node);
    if (current != current_.end()) current->second->Kept(report.process, report.number);
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Refuse(const absl::Status& why,
                                                                   Duration retry_after = Duration(0)) {
    totals_.refused_streams.fetch_add(1, std::memory_order_relaxed);
    return new Refusal(rpc::WithHint(ToGrpc(why), {.retry_after = retry_after}));
  }

  const ServiceDeps deps_;
  Totals totals_;
  Herd herd_;
  std::mutex mutex_;  // taken before a stream's own, never the other way round
  std::condition_variable empty_;
  std::set<sync::Stream*> streams_;
  std::map<std::string, sync::Stream*> current_;  // by node
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Service> Service::Make(ServiceDeps deps) { return std::make_unique<StreamService>(std::move(deps)); }

}  // namespace sluice::sync
