#include "common/config/document_paths.h"

#include <algorithm>
#include <tuple>

#include "common/base/text.h"
#include "common/config/lists.h"

namespace sluice::config {

int DocumentPaths::Add(std::string_view kind, int parent, std::string_view key, int index) {
  places_.push_back({kind, parent, key, index, {}});
  return static_cast<int>(places_.size()) - 1;
}

void DocumentPaths::Bind(const v1::GatewayConfig& config) {
  if (!by_id_.empty()) return;
  by_id_.reserve(places_.size());
  ForEachList(config, [this](std::string_view kind, const auto& list) {
    int next = 0;
    for (size_t i = 0; i < places_.size() && next < list.size(); ++i) {
      if (places_[i].kind != kind) continue;
      places_[i].id = list[next++].id();
      by_id_.push_back(static_cast<int>(i));
    }
  });
  std::sort(by_id_.begin(), by_id_.end(), [this](int a, int b) {
    const Place& left = places_[static_cast<size_t>(a)];
    const Place& right = places_[static_cast<size_t>(b)];
    return std::tie(left.kind, left.id, a) < std::tie(right.kind, right.id, b);
  });
}

std::optional<int> DocumentPaths::Find(std::string_view kind, std::string_view id) const {
  using Named = std::pair<std::string_view, std::string_view>;
  const auto named = [this](int position) {
    const Place& place = places_[static_cast<size_t>(position)];
    return Named(place.kind, place.id);
  };
  const Named wanted(kind, id);
  const auto found = std::lower_bound(by_id_.begin(), by_id_.end(), wanted,
                                      [&](int position, const Named& than) { return named(position) < than; });
  return found == by_id_.end() || named(*found) != wanted ? std::nullopt : std::optional(*found);
}

std::string DocumentPaths::Text(int position) const {
  const Place& place = places_[static_cast<size_t>(position)];
  const std::string own = Cat(place.key, "[", place.index, "]");
  return place.parent == kTop ? own : Cat(Text(place.parent), ".", own);
}

}  // namespace sluice::config
