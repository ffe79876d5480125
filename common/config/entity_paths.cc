#include "common/config/entity_paths.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "common/config/lists.h"
#include "common/schema/text.h"

namespace sluice::config {

std::string ListName(std::string_view kind) {
  return std::string(kind) + "s";
}

EntityPaths::EntityPaths(const v1::GatewayConfig& config, const DocumentPaths* paths) {
  ForEachList(config, [&](std::string_view kind, const auto& list) {
    List& out = lists_[std::string(kind)];
    std::map<std::string, int> labels;
    for (const auto& entity : list) ++labels[NameIn(entity)];
    std::vector<size_t> positions;
    for (const auto& entity : list) {
      const DocumentPaths::Place* place = paths == nullptr ? nullptr : paths->Find(kind, entity.id());
      std::string name = NameIn(entity);
      // Plugins and targets share names; ids tell them apart.
      if (name.empty() || (labels[name] > 1 && (kind == "plugin" || kind == "target"))) name = entity.id();
      out.paths.push_back(place != nullptr ? place->path : schema::Cat(ListName(kind), "[", name.substr(0, 64), "]"));
      positions.push_back(place != nullptr ? place->position : 0);
    }
    out.order.resize(positions.size());
    std::iota(out.order.begin(), out.order.end(), 0);
    std::stable_sort(out.order.begin(), out.order.end(), [&](int a, int b) { return positions[a] < positions[b]; });
  });
}

const std::string& EntityPaths::Of(std::string_view kind, int index) const {
  return lists_.at(std::string(kind)).paths.at(static_cast<size_t>(index));
}

const std::vector<int>& EntityPaths::Order(std::string_view kind) const {
  return lists_.at(std::string(kind)).order;
}

}  // namespace sluice::config
