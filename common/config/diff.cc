#include "common/config/diff.h"

#include <map>
#include <set>

#include "common/config/entity.h"
#include "common/config/redact.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// A value as it is, to compare, and as it may be shown.
struct Side {
  const Value* raw = nullptr;  // null where absent
  const Value* shown = nullptr;
};

std::string Show(const Side& side) {
  return side.shown == nullptr ? "" : schema::ToJson(*side.shown);
}

const Value* At(const Value* object, const std::string& key) {
  if (object == nullptr || !object->has_struct_value()) return nullptr;
  const auto found = object->struct_value().fields().find(key);
  return found == object->struct_value().fields().end() ? nullptr : &found->second;
}

const Value* At(const Value* list, int index) {
  if (list == nullptr || !list->has_list_value() || index >= list->list_value().values_size()) return nullptr;
  return &list->list_value().values(index);
}

void Compare(const Side& before, const Side& after, const std::string& field, std::vector<FieldChange>& out) {
  if (before.raw != nullptr && after.raw != nullptr) {
    if (schema::JsonEqual(*before.raw, *after.raw)) return;
    if (before.raw->has_struct_value() && after.raw->has_struct_value()) {
      std::set<std::string> keys;
      for (const auto& entry : before.raw->struct_value().fields()) keys.insert(entry.first);
      for (const auto& entry : after.raw->struct_value().fields()) keys.insert(entry.first);
      for (const std::string& key : keys) {
        Compare({At(before.raw, key), At(before.shown, key)}, {At(after.raw, key), At(after.shown, key)},
                schema::Join(field, key), out);
      }
      return;
    }
    if (before.raw->has_list_value() && after.raw->has_list_value()) {
      const int size = std::max(before.raw->list_value().values_size(), after.raw->list_value().values_size());
      for (int i = 0; i < size; ++i) {
        Compare({At(before.raw, i), At(before.shown, i)}, {At(after.raw, i), At(after.shown, i)},
                schema::Join(field, i), out);
      }
      return;
    }
  }
  if (before.raw == nullptr && after.raw == nullptr) return;
  out.push_back({field, Show(before), Show(after)});
}

// The entity's fields without those that the server sets.
void FieldsOf(const v1::Entity& entity, Value& raw, Value& shown) {
  *raw.mutable_struct_value() = schema::Encode(*Unwrap(entity));
  for (const char* field : {"id", "created_at", "updated_at"})
    raw.mutable_struct_value()->mutable_fields()->erase(field);
  shown = raw;
  Redact(entity, *shown.mutable_struct_value());
}

Change Describe(Change::Action action, const v1::Entity& entity) {
  const std::string name = NameOf(entity);
  return {action, std::string(KindOf(entity)), name.empty() ? IdOf(entity) : name, IdOf(entity), {}};
}

std::map<std::pair<std::string, std::string>, v1::Entity> ById(const v1::GatewayConfig& config) {
  std::map<std::pair<std::string, std::string>, v1::Entity> out;
  for (v1::Entity& entity : EntitiesOf(config)) out[{std::string(KindOf(entity)), IdOf(entity)}] = std::move(entity);
  return out;
}

// What a gateway has besides its entities.
Value OwnFieldsOf(const v1::GatewayConfig& config) {
  Value out;
  auto& fields = *out.mutable_struct_value()->mutable_fields();
  *fields["plan"].mutable_struct_value() = schema::Encode(config.plan());
  fields["hosts"].mutable_list_value();
  for (const std::string& host : config.hosts()) {
    fields["hosts"].mutable_list_value()->add_values()->set_string_value(host);
  }
  return out;
}

}  // namespace

std::vector<Change> Diff(const v1::GatewayConfig& before, const v1::GatewayConfig& after) {
  std::vector<Change> changes;
  const Value own_before = OwnFieldsOf(before), own_after = OwnFieldsOf(after);
  Change own{Change::Action::kUpdate, "gateway", after.name(), after.id(), {}};
  Compare({&own_before, &own_before}, {&own_after, &own_after}, "", own.fields);
  if (!own.fields.empty()) changes.push_back(std::move(own));
  const auto old_entities = ById(before);
  const auto new_entities = ById(after);
  for (const v1::Entity& entity : EntitiesOf(after)) {
    const auto old = old_entities.find({std::string(KindOf(entity)), IdOf(entity)});
    if (old == old_entities.end()) {
      changes.push_back(Describe(Change::Action::kCreate, entity));
      continue;
    }
    Value raw_before, shown_before, raw_after, shown_after;
    FieldsOf(old->second, raw_before, shown_before);
    FieldsOf(entity, raw_after, shown_after);
    Change change = Describe(Change::Action::kUpdate, entity);
    Compare({&raw_before, &shown_before}, {&raw_after, &shown_after}, "", change.fields);
    if (!change.fields.empty()) changes.push_back(std::move(change));
  }
  for (const v1::Entity& entity : EntitiesOf(before)) {
    if (!new_entities.contains({std::string(KindOf(entity)), IdOf(entity)})) {
      changes.push_back(Describe(Change::Action::kDelete, entity));
    }
  }
  return changes;
}

}  // namespace sluice::config
