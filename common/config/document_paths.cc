#include "common/config/document_paths.h"

#include "common/config/lists.h"
#include "common/schema/text.h"

namespace sluice::config {

void DocumentPaths::Add(std::string_view kind, std::string path) {
  lists_[std::string(kind)].push_back({std::move(path), count_++});
}

void DocumentPaths::Bind(const v1::GatewayConfig& config) {
  ForEachList(config, [this](std::string_view kind, const auto& list) {
    const auto found = lists_.find(std::string(kind));
    if (found == lists_.end()) return;
    size_t i = 0;
    for (const auto& entity : list) {
      if (i == found->second.size()) break;
      by_id_.try_emplace(schema::Cat(kind, "/", entity.id()), std::move(found->second[i++]));
    }
  });
  lists_.clear();
}

const DocumentPaths::Place* DocumentPaths::Find(std::string_view kind, std::string_view id) const {
  const auto found = by_id_.find(schema::Cat(kind, "/", id));
  return found == by_id_.end() ? nullptr : &found->second;
}

}  // namespace sluice::config
