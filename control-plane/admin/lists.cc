#include "control-plane/admin/lists.h"

#include <set>
#include <unordered_map>

#include "absl/container/flat_hash_map.h"
#include "common/base/check.h"
#include "common/base/random.h"
#include "common/config/lists.h"
#include "common/config/references.h"

namespace sluice::admin {

namespace {

using config::v1::GatewayConfig;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The fields that every entity has.
struct Common {
  const FieldDescriptor* id;
  const FieldDescriptor* created;
  const FieldDescriptor* updated;
};

const Common& CommonOf(const Message& entity) {
  static const auto& known = *new std::unordered_map<const Descriptor*, Common>([] {
    std::unordered_map<const Descriptor*, Common> found;
    for (const FieldDescriptor* list : EntityLists()) {
      const Descriptor& type = *list->message_type();
      const Common common{type.FindFieldByName("id"), type.FindFieldByName("created_at"),
                          type.FindFieldByName("updated_at")};
      SLUICE_CHECK(common.id != nullptr && common.created != nullptr && common.updated != nullptr);
      found[&type] = common;
    }
    return found;
  }());
  return known.at(entity.GetDescriptor());
}

std::string IdOf(const Message& entity) { return entity.GetReflection()->GetString(entity, CommonOf(entity).id); }

}  // namespace

const std::vector<const FieldDescriptor*>& EntityLists() {
  static const auto& lists = *new std::vector<const FieldDescriptor*>([] {
    std::vector<const FieldDescriptor*> found;
    const Descriptor& type = *GatewayConfig::descriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = type.field(i);
      if (field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) found.push_back(field);
    }
    return found;
  }());
  return lists;
}

const FieldDescriptor& ListOf(const Descriptor& type) {
  for (const FieldDescriptor* list : EntityLists()) {
    if (list->message_type() == &type) return *list;
  }
  SLUICE_CHECK(false);
  __builtin_unreachable();
}

void ForEachEntity(GatewayConfig& config, const std::function<void(const FieldDescriptor&, Message&)>& visit) {
  for (const FieldDescriptor* list : EntityLists()) {
    const int size = config.GetReflection()->FieldSize(config, list);
    for (int i = 0; i < size; ++i) visit(*list, *config.GetReflection()->MutableRepeatedMessage(&config, list, i));
  }
}

std::vector<std::string> ReferencesOf(const Message& entity) {
  std::vector<std::string> ids;
  for (const config::Reference& reference : config::ReferencesIn(entity)) {
    if (!reference.value.empty()) ids.emplace_back(reference.value);
  }
  return ids;
}

void Stamp(const GatewayConfig& current, GatewayConfig& wanted, int64_t now, bool restored) {
  config::ForEachPair(current, wanted, [&](std::string_view, const auto& known, auto& list) {
    absl::flat_hash_map<std::string_view, const typename std::decay_t<decltype(list)>::value_type*> by_id;
    for (const auto& entity : known) by_id.emplace(entity.id(), &entity);
    for (auto& entity : list) {
      if (entity.id().empty()) entity.set_id(RandomUuid());
      const auto found = by_id.find(entity.id());
      if (found == by_id.end() && restored) continue;
      entity.set_created_at(found == by_id.end() ? now : found->second->created_at());
      entity.set_updated_at(found == by_id.end() ? now : found->second->updated_at());
    }
  });
}

void SetUpdated(GatewayConfig& config, const std::vector<std::string>& ids, int64_t now) {
  if (ids.empty()) return;
  const std::set<std::string> wanted(ids.begin(), ids.end());
  ForEachEntity(config, [&](const FieldDescriptor&, Message& entity) {
    if (!wanted.contains(IdOf(entity))) return;
    entity.GetReflection()->SetInt64(&entity, CommonOf(entity).updated, now);
  });
}

}  // namespace sluice::admin
