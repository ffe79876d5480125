#include "control-plane/sync/feed.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "control-plane/fleet/authority.h"

namespace sluice::sync {
namespace {

using google::protobuf::internal::WireFormatLite;

Outgoing Whole(const v1::ControlMessage& message) {
  Outgoing out;
  out.head = message.SerializeAsString();
  return out;
}

uint32_t BytesTag(int field) { return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED); }

// Said after a configuration, it gives it another limit: of two values of a field the later one counts.
std::string Amendment(const index::Entry& entry, store::Part part) {
  if (entry.config == nullptr || part == store::Part::kAll || entry.request_limit.value_or(0) == 0) return "";
  config::v1::GatewayConfig amendment;
  amendment.mutable_plan()->set_requests_per_second(entry.LimitOf(part));
  return amendment.SerializeAsString();
}

// ControlMessage{update: GatewayUpdate{..., config}} with everything but the bytes of `config`, which come last on the
// wire: fields may be in any order, and ours has the configuration at the end.
Outgoing Update(const index::Entry& entry, store::Part part) {
  v1::GatewayUpdate update;
  update.set_revision(entry.revision);
  update.set_gateway_id(entry.gateway_id);
  update.set_removed(entry.removed);
  Outgoing out;
  out.config = entry.config;
  out.amendment = Amendment(entry, part);
  out.gateway_id = entry.gateway_id;
  out.revision = entry.revision;
  const size_t config_size = (entry.config == nullptr ? 0 : entry.config->size()) + out.amendment.size();
  std::string tail;
  if (entry.config != nullptr) {
    google::protobuf::io::StringOutputStream stream(&tail);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteVarint32(BytesTag(v1::GatewayUpdate::kConfigFieldNumber));
    coded.WriteVarint32(static_cast<uint32_t>(config_size));
  }
  const std::string front = update.SerializeAsString();
  {
    google::protobuf::io::StringOutputStream stream(&out.head);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteVarint32(BytesTag(v1::ControlMessage::kUpdateFieldNumber));
    coded.WriteVarint32(static_cast<uint32_t>(front.size() + tail.size() + config_size));
  }
  out.head += front + tail;
  return out;
}

}  // namespace

absl::Status Feed::Resume(const v1::Resume& resume, const std::string& certified_name) {
  if (resumed_) return absl::InvalidArgumentError("a stream is resumed once");
  if (!fleet::IsNodeName(resume.node())) return absl::InvalidArgumentError("the node's name is not a name");
  if (resume.node() != certified_name) {
    return absl::PermissionDeniedError("the certificate is of node \"" + certified_name + "\", not of \"" +
                                       resume.node() + "\"");
  }
  if (resume.revision() < 0) return absl::InvalidArgumentError("a revision is not negative");
  resumed_ = true;
  const bool same_line = resume.epoch() == settings_.epoch;
  ahead_ = same_line && resume.revision() > index_.head();
  full_ = !same_line || ahead_ || resume.revision() == 0 || resume.revision() < index_.horizon();
  cursor_ = full_ ? 0 : resume.revision();
  return absl::OkStatus();
}

std::optional<Outgoing> Feed::Next() {
  if (!resumed_) return std::nullopt;
  if (!welcomed_) return Welcome();
  if (std::optional<Outgoing> trust = Trust(); trust.has_value()) return trust;
  if (kept_.has_value()) {
    v1::ControlMessage message;
    *message.mutable_usage_kept() = *std::exchange(kept_, std::nullopt);
    return Whole(message);
  }
  const int64_t head = index_.head();  // read first: what comes after it is found by After, or rings again
  if (const std::optional<index::Entry> entry = NextEntry(); entry.has_value()) {
    return Update(*entry, entry->ServedBy(scope_).value_or(store::Part::kAll));
  }
  if (caught_up_ == std::max(head, cursor_)) return std::nullopt;
  return CaughtUp(std::max(head, cursor_));
}

std::optional<index::Entry> Feed::NextEntry() {
  // A full synchronisation names what is there; what was removed is not named.
  const bool sweeping = full_ && !caught_up_.has_value();
  while (std::optional<index::Entry> entry = index_.After(cursor_)) {
    cursor_ = entry->revision;
    if (!entry->ServedBy(scope_)) {
      if (!scope_.is_cell() || entry->of_owner) continue;
      // Another cell's now. It may have been this one's before, and whoever has it is to let go of it.
      entry->removed = true;
      entry->config = nullptr;
    }
    if (!entry->removed || !sweeping) return entry;
  }
  return std::nullopt;
}

std::optional<Outgoing> Feed::Trust() {
  if (trust_ == nullptr || trust_->revision() == trust_revision_) return std::nullopt;
  trust_revision_ = trust_->revision();  // read first: a change meanwhile is met again
  std::vector<std::string> authorities = trust_->certificates();
  if (authorities == told_) return std::nullopt;
  told_ = std::move(authorities);
  v1::ControlMessage message;
  for (const std::string& authority : told_) message.mutable_trust()->add_authorities(authority);
  return Whole(message);
}

Outgoing Feed::Welcome() {
  welcomed_ = true;
  v1::ControlMessage message;
  message.mutable_welcome()->set_epoch(settings_.epoch);
  message.mutable_welcome()->set_full(full_);
  *message.mutable_welcome()->mutable_fleet() = settings_.fleet;
  return Whole(message);
}

Outgoing Feed::CaughtUp(int64_t head) {
  caught_up_ = head;
  cursor_ = head;  // what is not served from here has revisions too
  v1::ControlMessage message;
  message.mutable_caught_up()->set_revision(head);
  Outgoing out = Whole(message);
  out.caught_up = true;
  return out;
}

}  // namespace sluice::sync
