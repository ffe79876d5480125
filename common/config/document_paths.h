#pragma once

// Where each entity of a configuration stood in the document it was read from, so that violations name places that
// their author wrote. Not for several threads at once.

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

class DocumentPaths {
 public:
  // ParseDocument: the next entity of this kind's list stands at `path`.
  void Add(std::string_view kind, std::string path);

  // Complete, once every entity has an id and before it changes their order: from now on places are found by id.
  void Bind(const v1::GatewayConfig& config);

  struct Place {
    std::string path;
    size_t position = 0;  // among all entities of the document
  };
  // Null for an entity that was not in the document.
  const Place* Find(std::string_view kind, std::string_view id) const;

 private:
  absl::flat_hash_map<std::string, std::vector<Place>> lists_;  // by kind, in the order of the list
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Place>> by_id_;  // the same, by kind and id
  size_t count_ = 0;
};

}  // namespace sluice::config
