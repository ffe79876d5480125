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

const EntityPaths::List& EntityPaths::Find(std::string_view kind) const {
  if (const auto known = lists_.find(std::string(kind)); known != lists_.end()) return known->second;
  List& out = lists_[std::string(kind)];
  ForEachList(config_, [&](std::string_view each, const auto& list) {
    if (each != kind) return;
    std::map<std::string, int> labels;
    for (const auto& entity : list) ++labels[NameIn(entity)];
    for (const auto& entity : list) {
      const DocumentPaths::Place* place = paths_ == nullptr ? nullptr : paths_->Find(kind, entity.id());
      std::string name = NameIn(entity);
      // Plugins and targets share names; ids tell them apart.
      if (name.empty() || (labels[name] > 1 && (kind == "plugin" || kind == "target"))) name = entity.id();
      out.paths.push_back(place != nullptr ? place->path : schema::Cat(ListName(kind), "[", name.substr(0, 64), "]"));
    }
  });
  return out;
}

const std::string& EntityPaths::Of(std::string_view kind, int index) const {
  return Find(kind).paths.at(static_cast<size_t>(index));
}

std::vector<int> EntityPaths::Order(std::string_view kind) const {
  std::vector<size_t> positions;
  ForEachList(config_, [&](std::string_view each, const auto& list) {
    if (each != kind) return;
    for (const auto& entity : list) {
      const DocumentPaths::Place* place = paths_ == nullptr ? nullptr : paths_->Find(kind, entity.id());
      positions.push_back(place != nullptr ? place->position : 0);
    }
  });
  std::vector<int> order(positions.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return positions[a] < positions[b]; });
  return order;
}

}  // namespace sluice::config
