#include "control-plane/admin/entity_page.h"

#include <algorithm>
#include <cstdio>

#include "common/config/entity.h"
#include "common/schema/text.h"

namespace sluice::admin {

namespace {

using schema::Cat;

// Sorts as text in the order (kind, created_at, id).
std::string PlaceOf(const config::v1::Entity& entity) {
  const auto& kinds = config::EntityKinds();
  const auto kind = std::find(kinds.begin(), kinds.end(), config::KindOf(entity)) - kinds.begin();
  const google::protobuf::Message& inside = *config::Unwrap(entity);
  const int64_t created =
      inside.GetReflection()->GetInt64(inside, inside.GetDescriptor()->FindFieldByName("created_at"));
  char place[64];
  std::snprintf(place, sizeof(place), "%02d/%020lld/", static_cast<int>(kind), static_cast<long long>(created));
  return place + config::IdOf(entity);
}

}  // namespace

EntityPage EntitiesAfter(const config::v1::GatewayConfig& config, const std::string& kind, const std::string& cursor,
                         int size) {
  EntityPage page;
  std::vector<std::pair<std::string, config::v1::Entity>> ordered;
  std::vector<config::v1::Entity> all = config::EntitiesOf(config);
  for (config::v1::Entity& entity : all) {
    if (!kind.empty() && config::KindOf(entity) != kind) continue;
    std::string place = PlaceOf(entity);
    if (place > cursor) ordered.emplace_back(std::move(place), std::move(entity));
  }
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [place, entity] : ordered) {
    if (page.entities.size() == static_cast<size_t>(size)) {
      page.next = PlaceOf(page.entities.back());
      break;
    }
    page.entities.push_back(std::move(entity));
  }
  return page;
}

}  // namespace sluice::admin
