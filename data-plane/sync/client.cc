#include "data-plane/sync/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/observe/log.h"
#include "common/rpc/hint.h"
#include "data-plane/sync/addresses.h"
#include "data-plane/sync/backoff.h"
#include "sluice/sync/v1/sync.grpc.pb.h"

namespace sluice::sync {
namespace {

class GrpcClient final : public Client {
 public:
  GrpcClient(ClientOptions options, std::shared_ptr<grpc::ChannelCredentials> credentials, Applier& applier,
             Status& status, UsageLog* usage, Fetches* fetches)
      : options_(std::move(options)),
        addresses_(options_.control_planes),
        credentials_(std::move(credentials)),
        applier_(applier),
        status_(status),
        usage_(usage),
        fetches_(fetches) {
    thread_ = std::thread([this] { Run(); });
    if (fetches_ != nullptr) attendant_ = std::thread([this] { Attend(); });
  }

  ~GrpcClient() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      if (context_ != nullptr) context_->TryCancel();
    }
    wake_.notify_all();
    thread_.join();
    if (fetches_ == nullptr) return;
    fetches_->Wake();
    attendant_.join();
  }

  void SendUsage() override {
    std::lock_guard lock(write_mutex_);
    if (stream_ == nullptr || usage_ == nullptr) return;
    v1::NodeMessage message;
    if (auto usage = usage_->Next()) {
      *message.mutable_usage() = *std::move(usage);
      stream_->Write(message);  // a stream that has ended says so to its reader
    }
  }

 private:
  using Writer = grpc::ClientReaderWriter<v1::NodeMessage, v1::ControlMessage>;

  // Asks for what workers wait for, and tidies up. All that is said of the working set is said here, in order, but what
  // answers a message.
  void Attend() {
    MonotonicTime tidy_at = std::chrono::steady_clock::now() + kTidyInterval;
    while (!stop_) {
      v1::NodeMessage want;
      for (std::string& id : fetches_->Take(tidy_at)) want.mutable_want()->add_gateway_ids(std::move(id));
      if (want.has_want()) Send(want);
      if (std::chrono::steady_clock::now() < tidy_at) continue;
      tidy_at = std::chrono::steady_clock::now() + kTidyInterval;
      for (const v1::NodeMessage& message : applier_.Tidy()) Send(message);
    }
  }

  void Send(const v1::NodeMessage& message) {
    std::lock_guard lock(write_mutex_);
    if (stream_ != nullptr) stream_->Write(message);  // a stream that has ended says so to its reader
  }

  // The stream that usage goes over; null: none.
  void SetStream(Writer* stream) {
    if (stream != nullptr && usage_ != nullptr) usage_->Resend();
    std::lock_guard lock(write_mutex_);
    stream_ = stream;
  }
  bool Write(Writer& stream, const v1::NodeMessage& message) {
    std::lock_guard lock(write_mutex_);
    return stream.Write(message);
  }

  void Run() {
    int failures = 0;
    while (true) {
      grpc::ClientContext context;
      {
        std::lock_guard lock(mutex_);
        if (stop_) return;
        context_ = &context;
      }
      const Ended ended = Stream(context);
      failures = ended.caught_up ? 0 : failures + 1;
      addresses_.Next();
      const Duration backoff = Backoff(kFirstBackoff, kMaxBackoff, addresses_.Rounds(failures));
      std::unique_lock lock(mutex_);
      context_ = nullptr;
      if (wake_.wait_for(lock, std::max(backoff, ended.retry_after), [&] { return stop_.load(); })) return;
      ++status_.reconnects;
    }
  }

  struct Ended {
    bool caught_up = false;   // it got as far as being in step
    Duration retry_after{0};  // as the control plane asks
  };

  // One stream, from its opening to its end.
  Ended Stream(grpc::ClientContext& context) {
    const auto stub = v1::Sync::NewStub(MakeChannel());
    const auto stream = stub->Stream(&context);
    v1::NodeMessage hello;
    v1::Resume& resume = *hello.mutable_resume();
    resume = applier_.Resume();
    resume.set_node(options_.node);
    resume.set_build(options_.build);
    resume.set_address(options_.address);
    bool caught_up = false;
    bool open = stream->Write(hello);
    v1::ControlMessage message;
    while (open && stream->Read(&message)) {
      if (message.has_welcome()) {
        status_.connected = true;
        log::Info("connected to the control plane", {{"control_plane", addresses_.current()}});
      }
      caught_up = caught_up || message.has_caught_up();
      if (message.has_trust() && options_.trust) {
        options_.trust({message.trust().authorities().begin(), message.trust().authorities().end()});
      }
      for (const v1::NodeMessage& reply : applier_.Handle(message)) open = open && Write(*stream, reply);
      if (applier_.MustStartAnew()) {
        context.TryCancel();
        break;
      }
      if (message.has_welcome()) SetStream(stream.get());
      if (message.has_welcome() && applier_.on_demand()) fetches_->Open();
      if (message.has_usage_kept() && usage_ != nullptr) usage_->Kept(message.usage_kept());
      if (message.has_caught_up() || message.has_usage_kept()) SendUsage();
    }
    SetStream(nullptr);
    applier_.Disconnected();
    const grpc::Status ended = stream->Finish();
    const bool was_connected = status_.connected.exchange(false);
    if (was_connected || ended.error_code() != last_error_) {
      log::Warning("no stream from the control plane; the node serves what it has and keeps trying",
                   {{"control_plane", addresses_.current()}, {"error", ended.error_message()}});
    }
    last_error_ = ended.error_code();
    if (last_error_ == grpc::StatusCode::PERMISSION_DENIED) status_.refused = true;
    const Duration asked = std::min(rpc::HintOf(ended).retry_after, kMaxRetryDelay);
    return {caught_up, asked + Jitter(asked)};
  }

  // A channel for each stream: an old one would go on connecting while nobody polls for it between two tries, and would
  // add a backoff of its own. The files are read again, since certificates are renewed; until they can be, the last do.
  std::shared_ptr<grpc::Channel> MakeChannel() {
    auto credentials = rpc::ClientCredentials(options_.tls);
    if (credentials.ok()) {
      credentials_ = *std::move(credentials);
    } else {
      log::Error("cannot read the certificates anew", {{"error", std::string(credentials.status().message())}});
    }
    return rpc::MakeChannel(addresses_.current(), credentials_);
  }

  const ClientOptions options_;
  Addresses addresses_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  Applier& applier_;
  Status& status_;
  UsageLog* const usage_;
  Fetches* const fetches_;
  std::mutex write_mutex_;  // one writes at a time
  Writer* stream_ = nullptr;
  grpc::StatusCode last_error_ = grpc::StatusCode::OK;
  std::mutex mutex_;
  std::condition_variable wake_;
  grpc::ClientContext* context_ = nullptr;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  std::thread attendant_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Start(ClientOptions options, Applier& applier, Status& status,
                                                       UsageLog* usage, Fetches* fetches) {
  auto credentials = rpc::ClientCredentials(options.tls);
  if (!credentials.ok()) return credentials.status();
  return std::make_unique<GrpcClient>(std::move(options), *std::move(credentials), applier, status, usage, fetches);
}

}  // namespace sluice::sync
