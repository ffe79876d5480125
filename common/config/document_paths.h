#pragma once

// Where each entity of a configuration stood in the document it was read from, so that violations name places that
// their author wrote. Put into words only when asked. Not for several threads at once.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

class DocumentPaths {
 public:
  static constexpr int kTop = -1;

  // ParseDocument: the next entity of this kind's list is element `index` of the list `key`, of the document itself or
  // of the entity at position `parent`. Its own position is returned. Kind and key live as long as the process.
  int Add(std::string_view kind, int parent, std::string_view key, int index);

  // Complete, once every entity has an id and before it changes their order: from now on places are found by id.
  void Bind(const v1::GatewayConfig& config);

  // Among all entities of the document; empty for an entity that was not in it.
  std::optional<int> Find(std::string_view kind, std::string_view id) const;

  std::string Text(int position) const;  // "services[0].routes[1]"

 private:
  struct Place {
    std::string_view kind;
    int parent;
    std::string_view key;
    int index;
    std::string id;
  };

  std::vector<Place> places_;  // by position
  std::vector<int> by_id_;     // positions, in the order of kind, id and position
};

}  // namespace sluice::config
