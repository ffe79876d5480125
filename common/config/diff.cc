#include "common/config/diff.h"

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "common/config/entity.h"
#include "common/config/lists.h"
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

template <typename T>
Change Describe(Change::Action action, std::string_view kind, const T& entity) {
  const std::string& name = NameIn(entity);
  return {action, std::string(kind), name.empty() ? entity.id() : name, entity.id(), {}};
}

template <typename List>
auto ById(const List& list) {
  absl::flat_hash_map<std::string_view, const typename List::value_type*> out;
  for (const auto& entity : list) out.emplace(entity.id(), &entity);
  return out;
}

template <typename T>
std::vector<FieldChange> FieldsThatDiffer(const T& before, const T& after) {
  std::vector<FieldChange> fields;
  if (before.SerializeAsString() == after.SerializeAsString()) return fields;  // never so where they differ
  Value raw_before, shown_before, raw_after, shown_after;
  FieldsOf(Wrap(before), raw_before, shown_before);
  FieldsOf(Wrap(after), raw_after, shown_after);
  Compare({&raw_before, &shown_before}, {&raw_after, &shown_after}, "", fields);
  return fields;
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

bool SameOwnFields(const v1::GatewayConfig& before, const v1::GatewayConfig& after) {
  return std::ranges::equal(before.hosts(), after.hosts()) &&
         before.plan().SerializeAsString() == after.plan().SerializeAsString();
}

}  // namespace

std::vector<Change> Diff(const v1::GatewayConfig& before, const v1::GatewayConfig& after) {
  std::vector<Change> changes;
  Change own{Change::Action::kUpdate, "gateway", after.name(), after.id(), {}};
  if (!SameOwnFields(before, after)) {
    const Value own_before = OwnFieldsOf(before), own_after = OwnFieldsOf(after);
    Compare({&own_before, &own_before}, {&own_after, &own_after}, "", own.fields);
  }
  if (!own.fields.empty()) changes.push_back(std::move(own));
  ForEachPair(before, after, [&changes](std::string_view kind, const auto& old_list, const auto& new_list) {
    const auto known = ById(old_list);
    for (const auto& entity : new_list) {
      const auto old = known.find(entity.id());
      if (old == known.end()) {
        changes.push_back(Describe(Change::Action::kCreate, kind, entity));
        continue;
      }
      Change change = Describe(Change::Action::kUpdate, kind, entity);
      change.fields = FieldsThatDiffer(*old->second, entity);
      if (!change.fields.empty()) changes.push_back(std::move(change));
    }
  });
  ForEachPair(before, after, [&changes](std::string_view kind, const auto& old_list, const auto& new_list) {
    const auto known = ById(new_list);
    for (const auto& entity : old_list) {
      if (!known.contains(entity.id())) changes.push_back(Describe(Change::Action::kDelete, kind, entity));
    }
  });
  return changes;
}

}  // namespace sluice::config
