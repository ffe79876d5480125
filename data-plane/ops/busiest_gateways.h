#pragma once

// Which gateways have metrics of their own: the busiest, so that the number of series is bounded however many
// gateways there are. What a label counts never falls: each scrape credits what was added since the last one, to the
// gateway's own label or to "other". One thread.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/proxy/stats.h"

namespace sluice::ops {

inline constexpr size_t kMaxGatewayLabels = 100;
inline constexpr int kIdleScrapes = 20;  // without a request: then the label goes to a gateway that has some

class BusiestGateways {
 public:
  explicit BusiestGateways(size_t max_labels = kMaxGatewayLabels) : max_labels_(max_labels) {}

  // `totals`: what each gateway has counted since the start. `untracked`: the requests of gateways without counts.
  void Update(const absl::flat_hash_map<std::string, proxy::GatewayCounts>& totals,
              const proxy::GatewayCounts& untracked);

  struct Row {
    std::string gateway;  // its id, or "other"
    proxy::GatewayCounts counts;
  };
  // By id; "other" last.
  std::vector<Row> Rows() const;

 private:
  struct Label {
    proxy::GatewayCounts counts;
    int idle_scrapes = 0;
  };
  void Retire();
  void Admit(const std::vector<std::pair<std::string, proxy::GatewayCounts>>& added);

  const size_t max_labels_;
  absl::flat_hash_map<std::string, proxy::GatewayCounts> seen_;
  proxy::GatewayCounts seen_untracked_;
  absl::flat_hash_map<std::string, Label> labels_;
  proxy::GatewayCounts other_;
};

}  // namespace sluice::ops
