#include "control-plane/sync/stream.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "common/observe/log.h"
#include "common/rpc/hint.h"
#include "common/schema/text.h"

namespace sluice::sync {
namespace {

constexpr uint64_t kMaxCount = uint64_t{1} << 50;  // of a report; sums of these stay in 63 bits

// The configuration is not copied: every stream's slice refers to the same bytes until gRPC has sent them.
grpc::ByteBuffer ToBuffer(const Outgoing& message) {
  std::vector<grpc::Slice> slices = {grpc::Slice(message.head)};
  if (message.config != nullptr) {
    auto* shared = new std::shared_ptr<const std::string>(message.config);
    slices.emplace_back(
        const_cast<char*>((*shared)->data()), (*shared)->size(),
        [](void* kept) { delete static_cast<std::shared_ptr<const std::string>*>(kept); }, shared);
  }
  if (!message.amendment.empty()) slices.emplace_back(message.amendment);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

bool Parse(grpc::ByteBuffer& buffer, v1::NodeMessage& message) {
  grpc::ProtoBufferReader reader(&buffer);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

Stream::Stream(StreamOwner& owner, fleet::Peer peer, std::string address)
    : owner_(owner),
      peer_(std::move(peer)),
      address_(std::move(address)),
      feed_(owner.deps().index, owner.deps().settings, peer_.scope, &owner.deps().trust) {
  StartRead(&incoming_);
}

void Stream::Close(const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  Finish(status);
}

void Stream::OnReadDone(bool ok) {
  if (!ok) {
    Close(grpc::Status::OK);
    return;
  }
  v1::NodeMessage message;
  const absl::Status status =
      Parse(incoming_, message) ? Handle(message) : absl::InvalidArgumentError("a message cannot be read");
  incoming_.Clear();
  if (absl::IsUnavailable(status)) {  // for now, and nothing that an operator need see a thousand times
    owner_.totals().refused_streams.fetch_add(1, std::memory_order_relaxed);
    Close(rpc::WithHint(ToGrpc(status), {.retry_after = Herd::kRetryAfter}));
    return;
  }
  if (!status.ok()) {
    log::Warning("node refused", {{"node", peer_.name}, {"reason", std::string(status.message())}});
    Close(ToGrpc(status));
    return;
  }
  Pump();
  std::lock_guard lock(mutex_);
  if (!closed_) StartRead(&incoming_);
}

absl::Status Stream::Handle(const v1::NodeMessage& message) {
  if (message.has_resume()) return HandleResume(message.resume());
  if (!feed_.resumed()) return absl::InvalidArgumentError("a stream begins with Resume");
  const WallTime now = owner_.deps().clock.WallNow();
  if (!owner_.Owns(status_.name, this)) return absl::OkStatus();
  if (message.has_applied()) {
    owner_.deps().registry.Applied(status_.name, message.applied().revision(), now);
  } else if (message.has_rejected()) {
    const v1::Rejected& rejected = message.rejected();
    if (!owner_.deps().index.Served(rejected.gateway_id(), peer_.scope)) {
      return absl::PermissionDeniedError("the node reports about a gateway that it does not serve");
    }
    log::Warning("update rejected",
                 {{"node", status_.name}, {"gateway", rejected.gateway_id()}, {"reason", rejected.reason()}});
    owner_.deps().registry.Rejected(
        status_.name, {rejected.gateway_id(), rejected.revision(), rejected.reason(), rejected.message()}, now);
  }
  Record(false);
  if (message.has_want() || message.has_release()) {
    std::lock_guard lock(mutex_);
    if (message.has_release()) feed_.Release(message.release());
    if (message.has_want()) return feed_.Want(message.want());
  }
  return message.has_usage() ? HandleUsage(message.usage()) : absl::OkStatus();
}

absl::Status Stream::HandleUsage(const v1::Usage& usage) {
  if (usage.process().size() > kMaxReasonBytes || usage.process().find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the process of a usage report is not an id");
  }
  store::UsageReport report{status_.name, usage.process(), usage.number(), usage.minute(), {}};
  std::map<std::string, store::UsageCounts> gateways;  // each once, whatever the node says
  for (const v1::GatewayUsage& gateway : usage.gateways()) {
    const auto count = [](uint64_t value) { return static_cast<int64_t>(std::min(value, kMaxCount)); };
    if (gateway.gateway_id().find('\0') != std::string::npos) continue;
    if (!owner_.deps().index.Served(gateway.gateway_id(), peer_.scope)) continue;  // other nodes serve it
    gateways[gateway.gateway_id()] = {count(gateway.requests()),      count(gateway.refused()),
                                      count(gateway.limited()),       count(gateway.too_large()),
                                      count(gateway.failed()),        count(gateway.request_bytes()),
                                      count(gateway.response_bytes())};
  }
  report.gateways.assign(gateways.begin(), gateways.end());
  owner_.deps().usage.Add(std::move(report));
  return absl::OkStatus();
}

void Stream::Kept(const std::string& process, int64_t number) {
  {
    std::lock_guard lock(mutex_);
    v1::UsageKept kept;
    kept.set_process(process);
    kept.set_number(number);
    feed_.Kept(std::move(kept));
  }
  Pump();
}

absl::Status Stream::HandleResume(const v1::Resume& resume) {
  const ServiceDeps& deps = owner_.deps();
  // A node that comes from a replica that was faster than this one is not ahead of the database.
  if (resume.epoch() == deps.settings.epoch && resume.revision() > deps.index.head()) {
    absl::Status caught_up = deps.index.Refresh();
    if (!caught_up.ok()) return absl::UnavailableError("this replica is behind the node and cannot read the database");
  }
  {
    std::lock_guard lock(mutex_);
    absl::Status status = feed_.Resume(resume, peer_.name);
    if (!status.ok()) return status;
  }
  if (feed_.full() && !owner_.herd().BeginFull(this)) {
    return absl::UnavailableError("as many nodes as may are being sent everything; try again");
  }
  if (feed_.ahead()) {
    owner_.totals().nodes_ahead.fetch_add(1, std::memory_order_relaxed);
    log::Error("a node is ahead of the database, which seems to have been restored; everything is sent anew",
               {{"node", resume.node()}, {"revision", std::to_string(resume.revision())}});
  }
  if (feed_.full()) owner_.totals().full_syncs.fetch_add(1, std::memory_order_relaxed);
  const WallTime now = deps.clock.WallNow();
  status_.name = resume.node();
  status_.scope = peer_.scope;
  status_.build = schema::Shortened(resume.build(), kMaxReasonBytes);
  status_.address = resume.address().empty() ? address_ : schema::Shortened(resume.address(), kMaxMessageBytes);
  // Not what it holds: what it refused of that it says before its first Applied.
  status_.applied = 0;
  status_.connected = status_.last_seen = now;
  owner_.Claim(status_.name, this);
  Record(true);
  log::Info("node connected", {{"node", status_.name}, {"address", address_}, {"full", feed_.full() ? "yes" : "no"}});
  watch_ = deps.index.Watch([this] { Pump(); });
  return absl::OkStatus();
}

void Stream::Record(bool arrived) {
  const ServiceDeps& deps = owner_.deps();
  deps.recorder.Seen({status_.name, status_.build, status_.address, deps.clock.WallNow(), arrived});
}

void Stream::Pump() {
  std::lock_guard lock(mutex_);
  if (writing_ || closed_) return;
  std::optional<Outgoing> message = feed_.Next();
  if (!message.has_value()) return;
  if (message->caught_up) owner_.herd().EndFull(this);
  const bool is_update = !message->gateway_id.empty();
  if (is_update) owner_.deps().registry.Sent(status_.name, message->gateway_id, message->revision);
  owner_.totals().updates.fetch_add(is_update, std::memory_order_relaxed);
  owner_.totals().bytes.fetch_add(message->size(), std::memory_order_relaxed);
  outgoing_ = ToBuffer(*message);
  writing_ = true;
  grpc::WriteOptions options;
  if (message->is_followed) options.set_buffer_hint();
  StartWrite(&outgoing_, options);
}

void Stream::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
  if (ok) Pump();
}

void Stream::OnDone() {
  owner_.herd().EndFull(this);
  if (watch_ != 0) owner_.deps().index.Unwatch(watch_);
  if (!status_.name.empty()) log::Info("node disconnected", {{"node", status_.name}});
  owner_.Gone(status_.name, this);
  delete this;
}

}  // namespace sluice::sync
