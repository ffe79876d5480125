#include "common/config/document_paths.h"

#include "common/config/lists.h"

namespace sluice::config {

void DocumentPaths::Add(std::string_view kind, std::string path) {
  lists_[std::string(kind)].push_back({std::move(path), count_++});
}

void DocumentPaths::Bind(const v1::GatewayConfig& config) {
  ForEachList(config, [this](std::string_view kind, const auto& list) {
    const auto found = lists_.find(std::string(kind));
    if (found == lists_.end()) return;
    auto& by_id = by_id_[std::string(kind)];
    size_t i = 0;
    for (const auto& entity : list) {
      if (i == found->second.size()) break;
      by_id.try_emplace(entity.id(), std::move(found->second[i++]));
    }
  });
  lists_.clear();
}

const DocumentPaths::Place* DocumentPaths::Find(std::string_view kind, std::string_view id) const {
  const auto of_kind = by_id_.find(std::string(kind));
  if (of_kind == by_id_.end()) return nullptr;
  const auto found = of_kind->second.find(std::string(id));
  return found == of_kind->second.end() ? nullptr : &found->second;
}

}  // namespace sluice::config
