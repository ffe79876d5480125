#include "control-plane/sync/feed.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control-plane/fleet/authority.h"
#include "control-plane/sync/head.h"

namespace sluice::sync {
namespace {

using google::protobuf::internal::WireFormatLite;

Outgoing Whole(const v1::ControlMessage& message) {
  Outgoing out;
  out.head = message.SerializeAsString();
  return out;
}

absl::Status TooManyWanted() {
  return absl::ResourceExhaustedError(
      absl::StrCat("the node wants more than ", Feed::kMaxWanted, " configurations; give it a smaller --working-set"));
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
Outgoing WithConfig(const v1::GatewayUpdate& update, const index::Entry& entry, store::Part part) {
  Outgoing out;
  out.config = entry.config;
  out.amendment = Amendment(entry, part);
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

absl::Status Feed::Want(const v1::Want& want) {
  if (!on_demand_) return absl::OkStatus();
  const size_t more = static_cast<size_t>(want.gateway_ids_size());
  if (std::max(wanted_.size(), asked_.size()) + more > kMaxWanted) return TooManyWanted();
  for (const std::string& id : want.gateway_ids()) {
    wanted_.insert(id);
    asked_.push_back(id);
  }
  return absl::OkStatus();
}

void Feed::Release(const v1::Release& release) {
  for (const std::string& id : release.gateway_ids()) wanted_.erase(id);
}

absl::Status Feed::Resume(const v1::Resume& resume, const std::string& certified_name) {
  if (resumed_) return absl::InvalidArgumentError("a stream is resumed once");
  if (!fleet::IsNodeName(resume.node())) return absl::InvalidArgumentError("the node's name is not a name");
  if (resume.node() != certified_name) {
    return absl::PermissionDeniedError("the certificate is of node \"" + certified_name + "\", not of \"" +
                                       resume.node() + "\"");
  }
  if (resume.revision() < 0) return absl::InvalidArgumentError("a revision is not negative");
  if (resume.held_size() > static_cast<int>(kMaxWanted)) return TooManyWanted();
  resumed_ = true;
  on_demand_ = resume.mode() == v1::ON_DEMAND;
  if (on_demand_) wanted_.insert(resume.held().begin(), resume.held().end());
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
  if (std::optional<Outgoing> fetched = Fetched(); fetched.has_value()) return fetched;
  const int64_t head = index_.head();  // read first: what comes after it is found by After, or rings again
  if (const std::optional<index::Entry> entry = NextEntry(); entry.has_value()) return ToUpdate(*entry, false);
  if (caught_up_ == std::max(head, cursor_)) return std::nullopt;
  return CaughtUp(std::max(head, cursor_));
}

std::optional<index::Entry> Feed::NextEntry() {
  // A full synchronisation names what is there; what was removed is not named.
  const bool sweeping = full_ && !caught_up_.has_value();
  while (std::optional<index::Entry> entry = index_.After(cursor_)) {
    cursor_ = entry->revision;
    entry = Heard(*std::move(entry));
    if (entry.has_value() && (!entry->removed || !sweeping)) return entry;
  }
  return std::nullopt;
}

std::optional<index::Entry> Feed::Heard(index::Entry entry) const {
  if (entry.ServedBy(scope_)) return entry;
  if (!scope_.is_cell() || entry.of_owner) return std::nullopt;
  // Another cell's now. It may have been this one's before, and whoever has it is to let go of it.
  entry.removed = true;
  entry.config = nullptr;
  return entry;
}

std::optional<Outgoing> Feed::Fetched() {
  while (!asked_.empty()) {
    std::optional<index::Entry> entry = index_.Find(asked_.front());
    asked_.pop_front();
    if (entry.has_value()) entry = Heard(*std::move(entry));
    if (entry.has_value()) return ToUpdate(*entry, true);
  }
  return std::nullopt;
}

Outgoing Feed::ToUpdate(const index::Entry& entry, bool fetched) const {
  const store::Part part = entry.ServedBy(scope_).value_or(store::Part::kAll);
  v1::ControlMessage message;
  v1::GatewayUpdate& update = *message.mutable_update();
  update.set_revision(entry.revision);
  update.set_gateway_id(entry.gateway_id);
  update.set_removed(entry.removed);
  update.set_fetched(fetched);
  update.set_good(entry.good);
  // What cannot be read is told to every node: those that have the gateway refuse it and serve on what they have.
  const bool whole = !on_demand_ || fetched || entry.config == nullptr || entry.config->empty() ||
                     wanted_.contains(entry.gateway_id);
  const std::optional<v1::Head> head = whole ? std::nullopt : HeadOf(entry, part);
  if (head.has_value()) *update.mutable_head() = *head;
  Outgoing out = head.has_value() ? Whole(message) : WithConfig(update, entry, part);
  out.gateway_id = entry.gateway_id;
  out.revision = entry.revision;
  out.is_followed = !fetched;  // by CaughtUp, if by nothing else
  return out;
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
  if (on_demand_) message.mutable_welcome()->set_mode(v1::ON_DEMAND);
  message.mutable_welcome()->set_rules(settings_.rules);
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
