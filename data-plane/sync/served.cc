#include "data-plane/sync/served.h"

#include <algorithm>
#include <utility>

namespace sluice::sync {

void Served::Tell(Entries changes, Line line) {
  std::lock_guard lock(mutex_);
  line_ = std::move(line);
  if (changes_.empty()) {
    changes_ = std::move(changes);
    return;
  }
  for (auto& [id, entry] : changes) changes_.insert_or_assign(id, std::move(entry));
}

std::string Served::Serialise() {
  std::lock_guard writing(writing_);
  Entries changes;
  Line line;
  {
    std::lock_guard lock(mutex_);
    changes = std::exchange(changes_, {});
    line = line_;
  }
  for (auto& [id, entry] : changes) {
    if (entry.config == nullptr && entry.head == nullptr) {
      entries_.erase(id);
    } else {
      entries_.insert_or_assign(id, std::move(entry));
    }
  }
  return Join(entries_, line);
}

// A message is the pieces of it, one behind the other: so a fleet is written without being built as messages first.
std::string Served::Join(const Entries& entries, const Line& line) {
  constexpr size_t kAround = 256;  // some bytes of an entry beside its configuration
  size_t expected = kAround;
  bool has_heads = false;
  for (const auto& [id, entry] : entries) {
    expected += kAround + (entry.config != nullptr ? entry.config->size() : 0);
    has_heads = has_heads || entry.config == nullptr;
  }
  std::string bytes;
  bytes.reserve(expected);
  v1::Snapshot rest, with_config, with_head;
  rest.set_epoch(line.epoch);
  rest.set_revision(has_heads ? 0 : line.cursor);
  if (has_heads) rest.set_heads_revision(line.cursor);
  *rest.mutable_fleet() = line.fleet;
  rest.set_build(line.build);
  rest.AppendToString(&bytes);
  v1::GatewayUpdate& held = *with_config.add_gateways();
  v1::GatewayUpdate& known = *with_head.add_heads();
  for (const auto& [id, entry] : entries) {
    const bool is_held = entry.config != nullptr;
    v1::GatewayUpdate& update = is_held ? held : known;
    update.set_gateway_id(id);
    update.set_revision(std::min(entry.revision, line.cursor));
    if (is_held) update.set_config(*entry.config);
    if (entry.head != nullptr) {
      update.mutable_head()->mutable_hosts()->Assign(entry.head->hosts().begin(), entry.head->hosts().end());
      update.mutable_head()->set_requests_per_second(entry.limit);
    } else {
      update.clear_head();
    }
    (is_held ? with_config : with_head).AppendToString(&bytes);
  }
  return bytes;
}

}  // namespace sluice::sync
