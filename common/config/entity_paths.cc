#include "common/config/entity_paths.h"

#include <algorithm>
#include <map>

#include "common/config/lists.h"
#include "common/schema/text.h"

namespace sluice::config {

std::string ListName(std::string_view kind) {
  return std::string(kind) + "s";
}

const std::vector<std::string>& EntityPaths::Find(std::string_view kind) const {
  if (const auto known = lists_.find(std::string(kind)); known != lists_.end()) return known->second;
  std::vector<std::string>& out = lists_[std::string(kind)];
  ForEachList(config_, [&](std::string_view each, const auto& list) {
    if (each != kind) return;
    std::map<std::string, int> labels;
    for (const auto& entity : list) ++labels[NameIn(entity)];
    for (const auto& entity : list) {
      const std::optional<int> place = Position(kind, entity.id());
      std::string name = NameIn(entity);
      // Plugins and targets share names; ids tell them apart.
      if (name.empty() || (labels[name] > 1 && (kind == "plugin" || kind == "target"))) name = entity.id();
      out.push_back(place ? paths_->Text(*place) : schema::Cat(ListName(kind), "[", name.substr(0, 64), "]"));
    }
  });
  return out;
}

const std::string& EntityPaths::Of(std::string_view kind, int index) const {
  return Find(kind).at(static_cast<size_t>(index));
}

std::vector<int> EntityPaths::Order(std::string_view kind) const {
  std::vector<std::pair<int, int>> order;  // positions, and indices
  ForEachList(config_, [&](std::string_view each, const auto& list) {
    if (each != kind) return;
    order.reserve(static_cast<size_t>(list.size()));
    for (int i = 0; i < list.size(); ++i) order.emplace_back(Position(kind, list[i].id()).value_or(0), i);
  });
  std::sort(order.begin(), order.end());
  std::vector<int> indices;
  indices.reserve(order.size());
  for (const auto& [position, index] : order) indices.push_back(index);
  return indices;
}

std::optional<int> EntityPaths::Position(std::string_view kind, std::string_view id) const {
  return paths_ == nullptr ? std::nullopt : paths_->Find(kind, id);
}

}  // namespace sluice::config
