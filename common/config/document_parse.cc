#include <algorithm>
#include <map>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "common/config/config.h"
#include "common/config/document_kinds.h"
#include "common/config/limits.h"
#include "common/config/lists.h"
#include "common/config/pem.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"
#include "common/schema/sorted.h"
#include "common/schema/suggest.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using schema::Cat;

// What a nested entity is nested in.
struct Parent {
  std::string_view field;      // of the nested entity: "service"
  std::string_view reference;  // name, else id
  int position;                // among the entities of the document
};

bool IsEmpty(const Value& value) {
  return value.has_null_value() || (value.has_list_value() && value.list_value().values().empty()) ||
         (value.has_struct_value() && value.struct_value().fields().empty());
}

// Null where it is absent, or written as null.
const Value* Find(const Struct& object, std::string_view key) {
  const auto found = object.fields().find(std::string(key));
  return found == object.fields().end() || found->second.has_null_value() ? nullptr : &found->second;
}

bool IsUnsupported(std::string_view key) {
  static const auto& unsupported = *new absl::flat_hash_set<std::string_view>(std::begin(kUnsupportedCollections),
                                                                             std::end(kUnsupportedCollections));
  return unsupported.contains(key);
}

class Reader {
 public:
  Reader(v1::GatewayConfig& out, schema::Violations& violations, DocumentPaths* paths)
      : out_(out), violations_(violations), paths_(paths) {}

  void Document(const Struct& document) {
    Version(document);
    Info(document);
    PluginConfigs(document);
    const Place top("");
    for (const Collection& collection : kCollections) {
      if (!collection.within.empty()) continue;
      List(Find(document, collection.key), Place(top, collection.key), collection, nullptr);
    }
    Unknown(document);
  }

 private:
  using Place = schema::Place;

  void Unknown(const Struct& document) {
    std::vector<std::string_view> known = {kFormatVersion, kPluginConfigs, kInfo};
    for (const Collection& collection : kCollections) {
      if (collection.within.empty()) known.push_back(collection.key);
    }
    std::vector<std::string_view> rest = RefuseUnsupported(document, Place(""), nullptr);
    rest.insert(rest.end(), std::begin(kIgnoredKeys), std::end(kIgnoredKeys));
    const auto is_in = [](const auto& list, std::string_view key) {
      return std::find(list.begin(), list.end(), key) != list.end();
    };
    std::vector<std::string_view> unknown;
    for (const auto& [key, value] : document.fields()) {
      if (!is_in(known, key) && !is_in(rest, key)) unknown.push_back(key);
    }
    std::sort(unknown.begin(), unknown.end());
    for (const std::string_view key : unknown) {
      const std::string guess = schema::DidYouMean(key, std::vector<std::string>(known.begin(), known.end()));
      violations_.Add(schema::Join("", key), Cat("unknown key", guess));
    }
  }

  void Version(const Struct& document) {
    const Value* version = Find(document, kFormatVersion);
    if (version == nullptr) {
      violations_.Add(std::string(kFormatVersion), "required field missing; write _format_version: \"3.0\"");
    } else if (!version->has_string_value()) {
      violations_.Add(std::string(kFormatVersion), "expected a string; write \"3.0\" in quotes");
    } else if (version->string_value() != "1.1" && version->string_value() != "3.0") {
      violations_.Add(std::string(kFormatVersion), "expected one of: 1.1, 3.0");
    }
  }

  // Tags that select and defaults that fill in would change what the rest of the document means.
  void Info(const Struct& document) {
    const Value* info = Find(document, kInfo);
    if (info == nullptr) return;
    for (const char* key : {"select_tags", "defaults"}) {
      const auto found = info->struct_value().fields().find(key);
      if (found == info->struct_value().fields().end() || IsEmpty(found->second)) continue;
      violations_.Add(Cat("_info.", key), "is not supported yet; leave it out", "NOT_YET_SUPPORTED");
    }
  }

  void PluginConfigs(const Struct& document) {
    const Value* configs = Find(document, kPluginConfigs);
    if (configs == nullptr) return;
    if (!configs->has_struct_value()) return Expected("an object", *configs, Place(kPluginConfigs));
    for (const auto* shared : schema::Sorted(configs->struct_value().fields())) {
      const auto& [name, config] = *shared;
      const Place all(kPluginConfigs);
      const Place at(all, name);
      if (!config.has_struct_value()) {
        Expected("an object", config, at);
      } else if (schema::CheckJson(config, at, 2, violations_)) {
        plugin_configs_[name] = &config.struct_value();
      }
    }
  }

  void Expected(std::string_view what, const Value& value, const Place& place) {
    violations_.Add(place.Text(), Cat("expected ", what, ", not ", schema::NameOfKind(value)));
  }

  // Those that are there, which are no fields of the entity's own.
  std::vector<std::string_view> RefuseUnsupported(const Struct& object, const Place& place,
                                                  const schema::Shape* shape) {
    std::vector<std::string_view> found;
    for (const auto& [key, value] : object.fields()) {
      if (!IsUnsupported(key)) continue;
      if (shape != nullptr && shape->by_name.contains(key)) continue;  // a route's snis
      found.push_back(key);
    }
    std::sort(found.begin(), found.end());
    for (const std::string_view key : found) {
      const Value* value = Find(object, key);
      if (value != nullptr && !IsEmpty(*value)) {
        violations_.Add(Place(place, key).Text(), Cat(key, " are not supported yet; leave them out"),
                        "NOT_YET_SUPPORTED");
      }
    }
    return found;
  }

  void List(const Value* list, const Place& place, const Collection& collection, const Parent* parent) {
    if (list == nullptr) return;
    if (!list->has_list_value()) return Expected("an array", *list, place);
    const size_t most = MostOf(collection.kind);
    const auto size = static_cast<size_t>(list->list_value().values_size());
    if (size > most) {
      return violations_.Add(place.Text(), Cat("has ", size, " entities, at most ", most, " are allowed"), "TOO_MANY");
    }
    ForEachList(out_, [&](std::string_view kind, auto& entities) {
      if (kind != collection.kind) return;
      for (int i = 0; i < list->list_value().values_size(); ++i) {
        const Value& item = list->list_value().values(i);
        const Place at(place, i);
        if (!item.has_struct_value()) {
          Expected("an object", item, at);
          continue;
        }
        int position = DocumentPaths::kTop;
        if (paths_ != nullptr) {
          const int above = parent == nullptr ? DocumentPaths::kTop : parent->position;
          position = paths_->Add(collection.kind, above, collection.key, i);
        }
        Item(item.struct_value(), at, {kind, position, parent}, *entities.Add());
      }
    });
  }

  // An entity of the document.
  struct Stand {
    std::string_view kind;
    int position;
    const Parent* parent;  // null at the top
  };

  template <typename Entity>
  void Item(const Struct& fields, const Place& place, const Stand& stand, Entity& entity) {
    const auto& [kind, position, parent] = stand;
    std::vector<std::string_view> others = RefuseUnsupported(fields, place, &schema::ShapeOf<Entity>());
    for (const Collection& collection : kCollections) {
      if (collection.within == kind) others.push_back(collection.key);
    }
    if constexpr (std::is_same_v<Entity, v1::Plugin>) {
      others.push_back(kConfigName);
      const std::optional<Struct> whole = UsePluginConfig(fields, place);
      schema::Decode(whole ? *whole : fields, place, entity, violations_, others);
    } else {
      schema::Decode(fields, place, entity, violations_, others);
    }
    if (parent != nullptr) SetParent(*parent, place, entity);
    if constexpr (std::is_same_v<Entity, v1::KeyAuthCredential>) {
      // A dump could never show it: keys are kept only as their hashes.
      if (!fields.fields().contains("key"))
        violations_.Add(Place(place, "key").Text(), "required field missing: a document names its keys");
    }
    std::string_view reference = NameIn(entity);
    if constexpr (std::is_same_v<Entity, v1::Service> || std::is_same_v<Entity, v1::Route>) {
      if (reference.empty() && entity.id().empty()) {
        const std::string_view above = parent == nullptr ? std::string_view() : parent->reference;
        entity.set_id(IdOfContent(Cat(kind, above, OwnText(fields, others))));
      }
    }
    if constexpr (std::is_same_v<Entity, v1::Certificate>) {
      // The same whether the key is written as text or as its hash.
      if (entity.id().empty()) entity.set_id(IdOfContent(Cat(kind, CanonicalPem(entity.cert()))));
    }
    if (reference.empty()) reference = entity.id();
    for (const Collection& collection : kCollections) {
      if (collection.within != kind) continue;
      const Parent self{collection.parent, reference, position};
      List(Find(fields, collection.key), Place(place, collection.key), collection, &self);
    }
  }

  static std::string OwnText(Struct fields, const std::vector<std::string_view>& others) {
    for (const std::string_view key : others) fields.mutable_fields()->erase(std::string(key));
    return schema::ToJson(fields);
  }

  // `_config: name` takes what the plugin's own configuration leaves out from there. nullopt: there is nothing to take.
  std::optional<Struct> UsePluginConfig(const Struct& fields, const Place& place) {
    const Value* name = Find(fields, kConfigName);
    if (name == nullptr) return std::nullopt;
    if (!name->has_string_value()) {
      Expected("a string", *name, Place(place, kConfigName));
      return std::nullopt;
    }
    const auto shared = plugin_configs_.find(name->string_value());
    if (shared == plugin_configs_.end()) {
      violations_.Add(
          Place(place, kConfigName).Text(),
          Cat("there is no '", schema::EscapeBytes(name->string_value().substr(0, 128)), "' in ", kPluginConfigs),
          "DANGLING_REFERENCE");
      return std::nullopt;
    }
    Struct whole = fields;
    Value& config = (*whole.mutable_fields())["config"];
    if (config.kind_case() == Value::KIND_NOT_SET || config.has_null_value()) config.mutable_struct_value();
    if (!config.has_struct_value()) return std::nullopt;  // decoding names it
    for (const auto& [key, value] : shared->second->fields()) {
      if (!config.struct_value().fields().contains(key))
        (*config.mutable_struct_value()->mutable_fields())[key] = value;
    }
    return whole;
  }

  template <typename Entity>
  void SetParent(const Parent& parent, const Place& place, Entity& entity) {
    const schema::Shape& shape = schema::ShapeOf<Entity>();
    const auto* field = shape.fields[shape.by_name.at(parent.field)].field;
    const std::string written = shape.reflection->GetString(entity, field);
    if (!written.empty() && written != parent.reference) {
      violations_.Add(Place(place, parent.field).Text(), "is set by where it is nested; leave it out");
    }
    shape.reflection->SetString(&entity, field, std::string(parent.reference));
  }

  // A UUID (version 8, RFC 9562) made of the content; the second of two equal ones gets another.
  std::string IdOfContent(const std::string& content) {
    const std::string key = Cat(content, "\n", seen_[content]++);
    std::string hex = HashKey(key).substr(std::string_view("sha256:").size(), 32);
    hex[12] = '8';
    hex[16] = "89ab"[hex[16] % 4];
    return Cat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-", hex.substr(16, 4), "-",
               hex.substr(20));
  }

  v1::GatewayConfig& out_;
  schema::Violations& violations_;
  DocumentPaths* paths_;
  std::map<std::string, const Struct*> plugin_configs_;  // of the document
  std::map<std::string, int> seen_;
};

}  // namespace

void ParseDocument(const Struct& document, v1::GatewayConfig& out, schema::Violations& violations,
                   DocumentPaths* paths) {
  Reader(out, violations, paths).Document(document);
}

}  // namespace sluice::config
