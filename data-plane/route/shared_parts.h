#pragma once

// What gateways have in common, once for all of them: plans, egress policies, and plugins that depend on nothing but
// their configuration. Most of a fleet is configured alike. A part lives as long as a gateway that has it; all are for
// one set of fleet rules. Sync thread; parts are immutable and go anywhere.

#include <algorithm>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/egress/policy.h"
#include "data-plane/plugin/plugin.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice {

template <typename Part>
class Interned {
 public:
  // Null where there is none.
  std::shared_ptr<const Part> Find(const std::string& key) const {
    const auto found = parts_.find(key);
    return found == parts_.end() ? nullptr : found->second.lock();
  }
  void Put(std::string key, const std::shared_ptr<const Part>& part) {
    if (parts_.size() >= sweep_at_) {
      absl::erase_if(parts_, [](const auto& entry) { return entry.second.expired(); });
      sweep_at_ = std::max(kFirstSweep, 2 * parts_.size());
    }
    parts_[std::move(key)] = part;
  }
  size_t size() const { return parts_.size(); }

 private:
  static constexpr size_t kFirstSweep = 64;
  absl::flat_hash_map<std::string, std::weak_ptr<const Part>> parts_;
  size_t sweep_at_ = kFirstSweep;  // so that those that are gone are never most of them
};

struct SharedParts {
  Interned<config::v1::Plan> plans;  // by their bytes
  Interned<egress::Policy> egress;   // by what the plan allows
  Interned<Plugin> plugins;          // by name and configuration
};

}  // namespace sluice
