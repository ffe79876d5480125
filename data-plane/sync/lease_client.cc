#include "data-plane/sync/lease_client.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <thread>

#include "common/observe/log.h"
#include "common/quota/wire.h"
#include "common/rpc/hint.h"
#include "data-plane/sync/addresses.h"
#include "data-plane/sync/backoff.h"
#include "sluice/lease/v1/lease.grpc.pb.h"

namespace sluice::sync {
namespace {

constexpr size_t kMaxQueued = 64;  // reports; a stream that takes none of them is given up
constexpr Duration kTurn = std::chrono::milliseconds(250);

// One stream, from its opening to its end, as gRPC's callbacks see it. Deletes nothing: the client waits for its end.
class Stream final : public grpc::ClientBidiReactor<lease::v1::Report, lease::v1::Answer> {
 public:
  Stream(lease::v1::Lease::Stub& stub, limit::Shares& shares) : shares_(shares) {
    stub.async()->Stream(&context_, this);
    AddHold();  // reports are written from outside of callbacks
    StartRead(&incoming_);
    StartCall();
  }

  // False: it takes no more.
  bool Send(lease::v1::Report report) {
    std::lock_guard lock(mutex_);
    if (broken_ || queue_.size() >= kMaxQueued) return false;
    queue_.push_back(std::move(report));
    WriteNext();
    return true;
  }
  bool broken() const {
    std::lock_guard lock(mutex_);
    return broken_;
  }
  bool answered() const { return answered_; }
  // Ends it and waits until gRPC has forgotten it.
  grpc::Status End() {
    context_.TryCancel();
    RemoveHold();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return ended_; });
    return status_;
  }

  void OnReadDone(bool ok) override {
    if (ok) answered_ = true;
    if (ok && shares_.Receive(quota::FromWire(incoming_))) {
      shares_.Wake();
      StartRead(&incoming_);
      return;
    }
    Break();
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    queue_.pop_front();
    writing_ = false;
    broken_ = broken_ || !ok;
    WriteNext();
  }
  void OnDone(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    status_ = status;
    ended_ = true;
    done_.notify_all();
  }

 private:
  void WriteNext() {
    if (writing_ || broken_ || queue_.empty()) return;
    writing_ = true;
    StartWrite(&queue_.front());
  }
  void Break() {
    {
      std::lock_guard lock(mutex_);
      broken_ = true;
    }
    shares_.Wake();
  }

  limit::Shares& shares_;
  grpc::ClientContext context_;
  lease::v1::Answer incoming_;
  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::deque<lease::v1::Report> queue_;
  std::atomic<bool> answered_{false};
  bool writing_ = false;
  bool broken_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

class GrpcLeaseClient final : public LeaseClient {
 public:
  GrpcLeaseClient(ClientOptions options, limit::Shares& shares)
      : options_(std::move(options)), addresses_(options_.control_planes), shares_(shares) {
    thread_ = std::thread([this] { Run(); });
  }
  ~GrpcLeaseClient() override {
    stop_ = true;
    shares_.Wake();
    thread_.join();
  }

  void Leave(Duration patience) override {
    shares_.Leave();
    leaving_ = true;
    shares_.Wake();
    const MonotonicTime until = std::chrono::steady_clock::now() + patience;
    while (!said_ && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  struct Ended {
    bool answered = false;
    std::string owner;  // as the peer says that was not the owner
  };

  void Run() {
    std::string address = addresses_.current();
    int failures = 0, hops = 0;
    while (!stop_) {
      const Ended ended = OneStream(address);
      hops = ended.answered ? 0 : hops;
      if (!ended.owner.empty() && hops++ < kMaxOwnerHops) {
        address = ended.owner;
        continue;
      }
      failures = ended.answered ? 0 : failures + 1;
      hops = 0;
      addresses_.Next();
      address = addresses_.current();
      const MonotonicTime until = std::chrono::steady_clock::now() +
                                  Backoff(kFirstLeaseRetry, kMaxLeaseRetry, addresses_.Rounds(failures));
      while (!stop_ && std::chrono::steady_clock::now() < until) {
        shares_.Tick();
        shares_.Wait(until);
      }
    }
  }

  Ended OneStream(const std::string& address) {
    auto credentials = rpc::ClientCredentials(options_.tls);
    if (!credentials.ok()) return {};  // the sync client says so
    const auto channel = rpc::MakeChannel(address, *credentials);
    const auto stub = lease::v1::Lease::NewStub(channel);
    Stream stream(*stub, shares_);
    shares_.Connected();
    bool first = true;
    while (!stop_ && !stream.broken()) {
      if (!shares_.Tick()) break;
      bool sent = true;
      while (const auto report = shares_.NextReport()) {
        lease::v1::Report wire = quota::ToWire(*report);
        if (std::exchange(first, false)) wire.set_node(options_.node);
        sent = sent && stream.Send(std::move(wire));
      }
      if (leaving_ && !said_ && stream.answered()) SayGoodbye(stream);
      if (!sent) break;
      shares_.Wait(std::chrono::steady_clock::now() + kTurn);
    }
    shares_.Disconnected();
    const grpc::Status ended = stream.End();
    if (ended.error_code() != last_error_ && !stop_) {
      log::Info("no stream of shares; the node keeps its own part of every limit",
                {{"control_plane", address}, {"error", ended.error_message()}});
    }
    last_error_ = ended.error_code();
    return {stream.answered(), rpc::HintOf(ended).address};
  }

  void SayGoodbye(Stream& stream) {
    shares_.Forget();
    lease::v1::Report goodbye;
    goodbye.set_leaving(true);
    if (!stream.Send(std::move(goodbye))) return;
    const MonotonicTime until = std::chrono::steady_clock::now() + kTurn;  // the other side ends the stream
    while (!stream.broken() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    said_ = true;
  }

  const ClientOptions options_;
  Addresses addresses_;
  limit::Shares& shares_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> leaving_{false};
  std::atomic<bool> said_{false};
  grpc::StatusCode last_error_ = grpc::StatusCode::OK;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LeaseClient>> LeaseClient::Start(const ClientOptions& options, limit::Shares& shares) {
  auto credentials = rpc::ClientCredentials(options.tls);
  if (!credentials.ok()) return credentials.status();
  return std::make_unique<GrpcLeaseClient>(options, shares);
}

}  // namespace sluice::sync
