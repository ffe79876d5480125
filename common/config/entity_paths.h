#pragma once

// How violations name the entities of one configuration: the place in the document, or `routes[name-or-id]`. Internal
// to common/config. Immutable; the order of the configuration's lists must not change meanwhile.

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/config/document_paths.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

class EntityPaths {
 public:
  EntityPaths(const v1::GatewayConfig& config, const DocumentPaths* paths);

  const std::string& Of(std::string_view kind, int index) const;

  // Indices of the list as the author wrote it: of two that clash, the later one is at fault.
  const std::vector<int>& Order(std::string_view kind) const;

 private:
  struct List {
    std::vector<std::string> paths;
    std::vector<int> order;
  };
  absl::flat_hash_map<std::string, List> lists_;
};

// "route" is "routes": the list's name in GatewayConfig and in documents.
std::string ListName(std::string_view kind);

}  // namespace sluice::config
