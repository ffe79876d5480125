#include "absl/container/flat_hash_map.h"
#include "common/config/config.h"
#include "common/config/document_kinds.h"
#include "common/config/lists.h"
#include "common/config/redact.h"
#include "common/config/references.h"
#include "common/config/rules.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Struct;

class Writer {
 public:
  explicit Writer(const v1::GatewayConfig& config) : config_(config) {
    ForEachList(config, [this](std::string_view kind, const auto& list) {
      for (const auto& entity : list) {
        const std::string name = NameIn(entity);
        names_[schema::Cat(kind, "/", entity.id())] = name.empty() ? entity.id() : name;
      }
    });
  }

  Struct Document() {
    Struct document;
    (*document.mutable_fields())[std::string(kFormatVersion)].set_string_value("3.0");
    Nest("", "", document);
    return document;
  }

 private:
  // The fields that place an entity, the first present one counts.
  static std::vector<std::string_view> PlacedBy(std::string_view kind) {
    if (kind == "route") return {"service"};
    if (kind == "plugin") return {"route", "service", "consumer"};
    if (kind == "key_auth") return {"consumer"};
    if (kind == "target") return {"upstream"};
    if (kind == "sni") return {"certificate"};
    return {};
  }

  template <typename Entity>
  static const FieldDescriptor* PlaceOf(std::string_view kind, const Entity& entity) {
    for (std::string_view field : PlacedBy(kind)) {
      const FieldDescriptor* descriptor = Entity::descriptor()->FindFieldByName(std::string(field));
      if (entity.GetReflection()->HasField(entity, descriptor)) return descriptor;
    }
    return nullptr;
  }

  // Writes what belongs within the entity `id` of `kind` ("" at the top) into its object.
  void Nest(std::string_view within, const std::string& id, Struct& object) {
    for (const Collection& collection : kCollections) {
      if (collection.within != within) continue;
      ListValue out;
      ForEachList(config_, [&](std::string_view kind, const auto& list) {
        if (kind != collection.kind) return;
        Index(kind, list);
        for (int i : places_[schema::Cat(kind, ".", collection.parent, "/", id)]) {
          *out.add_values()->mutable_struct_value() = Write(kind, list[i], collection.parent);
        }
      });
      if (out.values_size() == 0) continue;
      *(*object.mutable_fields())[std::string(collection.key)].mutable_list_value() = std::move(out);
    }
  }

  // Which entities of a kind stand where, found once.
  template <typename List>
  void Index(std::string_view kind, const List& list) {
    if (!indexed_.try_emplace(std::string(kind), true).second) return;
    for (int i = 0; i < list.size(); ++i) {
      const FieldDescriptor* place = PlaceOf(kind, list[i]);
      const std::string parent =
          place == nullptr ? "./"
                           : schema::Cat(".", place->name(), "/", list[i].GetReflection()->GetString(list[i], place));
      places_[schema::Cat(kind, parent)].push_back(i);
    }
  }

  template <typename Entity>
  Struct Write(std::string_view kind, const Entity& entity, std::string_view parent) {
    Entity copy = entity;
    for (const Reference& reference : ReferencesIn(entity)) {
      const auto name = names_.find(schema::Cat(reference.kind(), "/", reference.value));
      if (*reference.field->name == parent) {
        copy.GetReflection()->ClearField(&copy, reference.field->field);
      } else if (name != names_.end()) {
        SetReference(copy, reference, name->second);
      }
    }
    if constexpr (std::is_same_v<Entity, v1::Certificate>) HideKeys(copy);
    const bool named = !NameIn(entity).empty() || kind == "key_auth";
    if (named) copy.clear_id();
    copy.clear_created_at();
    copy.clear_updated_at();
    schema::StripDefaults(copy);
    if constexpr (std::is_same_v<Entity, v1::Plugin>) StripConfig(copy);
    Struct object = schema::Encode(copy);
    Nest(kind, entity.id(), object);
    return object;
  }

  static void StripConfig(v1::Plugin& plugin) {
    const PluginEntry* entry = FindPlugin(plugin.name());
    if (entry == nullptr || entry->config == nullptr) return;
    schema::Violations wrong;
    const auto message = DecodeConfig(plugin.config(), *entry->config, schema::Place("config"), wrong);
    if (!wrong.empty()) return;
    schema::StripDefaults(*message);
    *plugin.mutable_config() = schema::Encode(*message);
    if (plugin.config().fields().empty()) plugin.clear_config();
  }

  const v1::GatewayConfig& config_;
  absl::flat_hash_map<std::string, std::string> names_;        // "kind/id" to what refers to it
  absl::flat_hash_map<std::string, std::vector<int>> places_;  // "kind.parent/id" to indices of the kind's list
  absl::flat_hash_map<std::string, bool> indexed_;
};

}  // namespace

Struct WriteDocument(const v1::GatewayConfig& config) {
  return Writer(config).Document();
}

}  // namespace sluice::config
