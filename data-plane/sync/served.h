#pragma once

// What a node serves, as its disk is to have it. The applier tells of changes and pays for these alone, however many
// gateways there are; whoever writes the snapshot brings its own list up to date first. Tell is for the applier,
// Serialise for any thread.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "data-plane/route/gateway.h"
#include "sluice/sync/v1/snapshot.pb.h"

namespace sluice::sync {

class Served {
 public:
  // Of one gateway. With neither `config` nor `head` it is not served any more.
  struct Entry {
    int64_t revision = 0;
    std::shared_ptr<const std::string> config{};
    std::shared_ptr<const GatewayHead> head{};  // in place of `config`, or of one that was found good and may rest
    uint32_t limit = 0;                         // of a head
  };
  using Entries = absl::flat_hash_map<std::string, Entry>;  // by gateway
  struct Line {
    std::string epoch{};
    int64_t cursor = 0;  // before every update that was rejected
    v1::Fleet fleet{};
    std::string build{};  // that found configurations good
  };

  // These gateways have changed, and the rest of it is `line`: both at once, so that no snapshot has one without the
  // other. What nobody has written yet is at most one entry a gateway.
  void Tell(Entries changes, Line line);
  // All of it, as a serialised v1::Snapshot.
  std::string Serialise();

 private:
  static std::string Join(const Entries& entries, const Line& line);

  std::mutex mutex_;  // of what was told
  Entries changes_;
  Line line_;
  std::mutex writing_;  // of what follows; taken before the other
  Entries entries_;
};

}  // namespace sluice::sync
