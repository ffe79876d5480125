#include "control-plane/lease/service.h"

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <mutex>
#include <set>
#include <utility>

#include "common/observe/log.h"
#include "common/quota/wire.h"
#include "common/rpc/hint.h"
#include "common/rpc/peer.h"
#include "sluice/lease/v1/lease.grpc.pb.h"

namespace sluice::lease {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

class Stream;

// The streams that there are, so that all of them can be looked at.
class Streams {
 public:
  virtual ~Streams() = default;
  virtual void Gone(Stream* stream) = 0;  // the last call of a stream
};

class Refusal final : public grpc::ServerBidiReactor<v1::Report, v1::Answer> {
 public:
  explicit Refusal(const absl::Status& why) { Finish(ToGrpc(why)); }
  void OnDone() override { delete this; }
};

// At most one read and one write in flight. gRPC deletes it through OnDone.
class Stream final : public grpc::ServerBidiReactor<v1::Report, v1::Answer>, public Listener {
 public:
  Stream(Cell& cell, Streams& streams, fleet::Peer peer)
      : cell_(cell), streams_(streams), peer_(std::move(peer)), node_(peer_.name) {
    StartRead(&incoming_);
  }
  const fleet::Peer& peer() const { return peer_; }

  void Send(const quota::Answer& answer) override {
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      if (queue_.size() < kMaxQueued) {
        queue_.push_back(quota::ToWire(answer));
        return WriteNext();
      }
    }
    End(absl::ResourceExhaustedError("the node does not take its answers"));
  }
  void End(const absl::Status& why) override { EndWith(why, ""); }

  void OnReadDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    const absl::Status status = Take();
    if (!status.ok()) return EndWith(status, absl::IsFailedPrecondition(status) ? cell_.owner_address() : "");
    std::lock_guard lock(mutex_);
    if (!ended_) StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    queue_.pop_front();
    if (ok && !ended_) WriteNext();
  }
  void OnCancel() override { End(absl::CancelledError("")); }
  void OnDone() override {
    cell_.Disconnected(node_, this);
    streams_.Gone(this);
    delete this;
  }

 private:
  // `owner`: where the node is to go instead; "": nowhere that is known.
  void EndWith(const absl::Status& why, const std::string& owner) {
    std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true)) Finish(rpc::WithHint(ToGrpc(why), {.address = owner}));
  }
  absl::Status Take() {
    if (!std::exchange(connected_, true)) {
      if (incoming_.node() != node_) {
        return absl::PermissionDeniedError("the certificate is of node \"" + node_ + "\", not of \"" +
                                           incoming_.node() + "\"");
      }
      return cell_.Connect(node_, this, quota::FromWire(incoming_));
    }
    if (incoming_.leaving()) {
      cell_.Leave(node_, this);
      return absl::CancelledError("the node leaves");
    }
    cell_.Receive(node_, this, quota::FromWire(incoming_));
    return absl::OkStatus();
  }
  void WriteNext() {
    if (writing_ || queue_.empty()) return;
    writing_ = true;
    StartWrite(&queue_.front());
  }

  Cell& cell_;
  Streams& streams_;
  const fleet::Peer peer_;
  const std::string& node_;
  v1::Report incoming_;
  bool connected_ = false;  // the reader's
  std::mutex mutex_;        // taken after the cell's, never before
  std::deque<v1::Answer> queue_;
  bool writing_ = false;
  bool ended_ = false;
};

class GrpcService final : public Service, public v1::Lease::CallbackService, public Streams {
 public:
  GrpcService(Cells& cells, const fleet::Trust& trust) : cells_(cells), trust_(trust) {}
  grpc::Service& grpc() override { return *this; }

  grpc::ServerBidiReactor<v1::Report, v1::Answer>* Stream(grpc::CallbackServerContext* context) override {
    auto peer = trust_.Identify(rpc::PeerCertificate(*context));
    if (!peer.ok()) return new Refusal(peer.status());
    if (!peer->scope.is_cell()) {
      return new Refusal(absl::PermissionDeniedError("the node is of no cell, and shares no limit with others"));
    }
    Cell* const cell = cells_.Find(peer->scope.name());
    if (cell == nullptr) return new Refusal(absl::UnavailableError("this replica does not know the node's cell yet"));
    std::lock_guard lock(mutex_);
    auto* stream = new lease::Stream(*cell, *this, *std::move(peer));
    streams_.insert(stream);
    return stream;
  }
  void Recheck() override {
    std::lock_guard lock(mutex_);
    for (lease::Stream* stream : streams_) {
      absl::Status good = trust_.Check(stream->peer());
      if (!good.ok()) stream->End(good);
    }
  }
  void Gone(lease::Stream* stream) override {
    std::lock_guard lock(mutex_);
    streams_.erase(stream);
  }

 private:
  Cells& cells_;
  const fleet::Trust& trust_;
  std::mutex mutex_;  // taken before a stream's
  std::set<lease::Stream*> streams_;
};

}  // namespace

std::unique_ptr<Service> Service::Make(Cells& cells, const fleet::Trust& trust) {
  return std::make_unique<GrpcService>(cells, trust);
}

}  // namespace sluice::lease
