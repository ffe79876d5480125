#include "control-plane/admin/lists.h"

#include <set>
#include <unordered_map>

#include "common/base/check.h"
#include "common/base/random.h"
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

void SetTimes(Message& entity, int64_t created, int64_t updated) {
  entity.GetReflection()->SetInt64(&entity, CommonOf(entity).created, created);
  entity.GetReflection()->SetInt64(&entity, CommonOf(entity).updated, updated);
}

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
    if (!reference.value.empty()) ids.push_back(reference.value);
  }
  return ids;
}

void Stamp(const GatewayConfig& current, GatewayConfig& wanted, int64_t now, bool restored) {
  std::unordered_map<std::string, const Message*> known;
  for (const FieldDescriptor* list : EntityLists()) {
    for (int i = 0; i < current.GetReflection()->FieldSize(current, list); ++i) {
      const Message& entity = current.GetReflection()->GetRepeatedMessage(current, list, i);
      known[IdOf(entity)] = &entity;
    }
  }
  ForEachEntity(wanted, [&](const FieldDescriptor&, Message& entity) {
    std::string id = IdOf(entity);
    if (id.empty()) {
      id = RandomUuid();
      entity.GetReflection()->SetString(&entity, CommonOf(entity).id, id);
    }
    const auto found = known.find(id);
    if (found == known.end() || found->second->GetDescriptor() != entity.GetDescriptor()) {
      if (!restored) SetTimes(entity, now, now);
      return;
    }
    const Message& old = *found->second;
    SetTimes(entity, old.GetReflection()->GetInt64(old, CommonOf(old).created),
             old.GetReflection()->GetInt64(old, CommonOf(old).updated));
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
