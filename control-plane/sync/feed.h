#pragma once

// The protocol of one Sync stream without the stream: what the node says goes in, what it is to be sent comes out, one
// message at a time. A cursor over the index; what a slow node has not taken yet is coalesced by itself. Belongs to one
// stream, which guards it.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "control-plane/fleet/trust.h"
#include "control-plane/index/index.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice::sync {

// What is the same for every stream of this replica.
struct FeedSettings {
  std::string epoch;
  v1::Fleet fleet;
  std::string rules{};  // config::RulesId of this replica
};

// A serialised ControlMessage in three pieces, so that all streams send the same configuration bytes.
struct Outgoing {
  std::string head;
  std::shared_ptr<const std::string> config;  // null: `head` is all of it
  std::string amendment;                      // what is different for this cell's nodes
  std::string gateway_id;                     // of an update; else empty
  int64_t revision = 0;
  bool caught_up = false;
  bool is_followed = false;  // by another one at once, so that it may wait to be sent with that
  size_t size() const { return head.size() + (config == nullptr ? 0 : config->size()) + amendment.size(); }
  std::string Joined() const { return config == nullptr ? head : head + *config + amendment; }
};

class Feed {
 public:
  static constexpr size_t kMaxWanted = 65'536;  // by a node that resumed ON_DEMAND; it names them in one message

  // `scope`: what the node may read. `trust`: whom it is told to trust; null: nobody new.
  Feed(const index::Index& index, const FeedSettings& settings, store::Scope scope, const fleet::Trust* trust = nullptr)
      : index_(index), settings_(settings), scope_(std::move(scope)), trust_(trust) {}

  // The node's first message. PERMISSION_DENIED: `certified_name`, from its certificate, is not the node's name.
  // RESOURCE_EXHAUSTED: it holds more than kMaxWanted.
  absl::Status Resume(const v1::Resume& resume, const std::string& certified_name);

  bool resumed() const { return resumed_; }
  // Everything is sent anew: another epoch, a first start, a node ahead of the database, or one that was away for
  // longer than removals are kept.
  bool full() const { return full_; }
  // The node claimed more than was ever committed on its own epoch: the database was restored.
  bool ahead() const { return ahead_; }

  // Of a node that resumed ON_DEMAND, else nothing: it needs these configurations now and from now on; heads of these
  // are enough. RESOURCE_EXHAUSTED: past kMaxWanted.
  absl::Status Want(const v1::Want& want);
  void Release(const v1::Release& release);

  // The node is to be told, after the welcome, that its usage is kept.
  void Kept(v1::UsageKept kept) { kept_ = std::move(kept); }

  // The next message; nullopt: nothing until the index's head or the trust moves.
  std::optional<Outgoing> Next();

 private:
  Outgoing Welcome();
  std::optional<Outgoing> Trust();
  // The next entry that the node is to hear of, as it is to hear of it.
  std::optional<index::Entry> NextEntry();
  // The answer to a Want.
  std::optional<Outgoing> Fetched();
  // The entry as the node is to hear of it, which may be as removed; nullopt: not at all.
  std::optional<index::Entry> Heard(index::Entry entry) const;
  Outgoing ToUpdate(const index::Entry& entry, bool fetched) const;
  Outgoing CaughtUp(int64_t head);

  const index::Index& index_;
  const FeedSettings& settings_;
  const store::Scope scope_;
  const fleet::Trust* const trust_;
  int64_t trust_revision_ = 0;
  std::vector<std::string> told_;  // whom to trust
  bool resumed_ = false;
  bool welcomed_ = false;
  bool full_ = false;
  bool ahead_ = false;
  int64_t cursor_ = 0;
  bool on_demand_ = false;
  absl::flat_hash_set<std::string> wanted_;
  std::deque<std::string> asked_;       // wanted and not answered; no more than kMaxWanted
  std::optional<v1::UsageKept> kept_;   // a node has one report on its way
  std::optional<int64_t> caught_up_;  // what the last CaughtUp said
};

}  // namespace sluice::sync
