#pragma once

// How violations name the entities of one configuration: the place in the document, or `routes[name-or-id]`. Internal
// to common/config. Found where something is wrong, in a configuration whose lists must not change meanwhile. One
// thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "common/config/document_paths.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

class EntityPaths {
 public:
  // Both must outlive it.
  EntityPaths(const v1::GatewayConfig& config, const DocumentPaths* paths) : config_(config), paths_(paths) {}

  const std::string& Of(std::string_view kind, int index) const;

  // Indices of the list as the author wrote it: of two that clash, the later one is at fault.
  std::vector<int> Order(std::string_view kind) const;

 private:
  const std::vector<std::string>& Find(std::string_view kind) const;
  std::optional<int> Position(std::string_view kind, std::string_view id) const;  // in the document

  const v1::GatewayConfig& config_;
  const DocumentPaths* paths_;
  mutable absl::node_hash_map<std::string, std::vector<std::string>> lists_;  // of those that were asked for
};

// "route" is "routes": the list's name in GatewayConfig and in documents.
std::string ListName(std::string_view kind);

}  // namespace sluice::config
