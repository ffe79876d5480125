#include <algorithm>
#include <map>

#include "common/config/config.h"
#include "common/config/document_kinds.h"
#include "common/config/limits.h"
#include "common/config/lists.h"
#include "common/config/pem.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/suggest.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Value;
using schema::Cat;

// What a nested entity is nested in.
struct Parent {
  std::string_view field;  // of the nested entity: "service"
  std::string reference;   // name, else id
};

bool IsEmpty(const Value& value) {
  return value.has_null_value() || (value.has_list_value() && value.list_value().values().empty()) ||
         (value.has_struct_value() && value.struct_value().fields().empty());
}

class Reader {
 public:
  Reader(v1::GatewayConfig& out, schema::Violations& violations, DocumentPaths* paths)
      : out_(out), violations_(violations), paths_(paths) {}

  void Document(Struct document) {
    Version(document);
    Info(document);
    PluginConfigs(document);
    for (std::string_view key : kIgnoredKeys) document.mutable_fields()->erase(std::string(key));
    std::vector<std::string> known = {std::string(kFormatVersion), std::string(kPluginConfigs), "_info"};
    for (const Collection& collection : kCollections) {
      if (!collection.within.empty()) continue;
      known.emplace_back(collection.key);
      List(Take(document, collection.key), std::string(collection.key), collection, nullptr);
    }
    RefuseUnsupported(document, "", nullptr);
    std::map<std::string_view, const Value*> rest;
    for (const auto& [key, value] : document.fields()) rest.emplace(key, &value);
    for (const auto& [key, value] : rest) {
      violations_.Add(schema::Join("", key), Cat("unknown key", schema::DidYouMean(key, known)));
    }
  }

 private:
  // Null where absent.
  static Value Take(Struct& object, std::string_view key) {
    Value value;
    value.set_null_value(google::protobuf::NULL_VALUE);
    const auto found = object.mutable_fields()->find(std::string(key));
    if (found == object.mutable_fields()->end()) return value;
    value = std::move(found->second);
    object.mutable_fields()->erase(found);
    return value;
  }

  void Version(Struct& document) {
    const Value version = Take(document, kFormatVersion);
    const std::string& text = version.string_value();
    if (version.has_null_value()) {
      violations_.Add(std::string(kFormatVersion), "required field missing; write _format_version: \"3.0\"");
    } else if (!version.has_string_value()) {
      violations_.Add(std::string(kFormatVersion), "expected a string; write \"3.0\" in quotes");
    } else if (text != "1.1" && text != "3.0") {
      violations_.Add(std::string(kFormatVersion), "expected one of: 1.1, 3.0");
    }
  }

  // Tags that select and defaults that fill in would change what the rest of the document means.
  void Info(Struct& document) {
    const Value info = Take(document, "_info");
    for (const char* key : {"select_tags", "defaults"}) {
      const auto found = info.struct_value().fields().find(key);
      if (found == info.struct_value().fields().end() || IsEmpty(found->second)) continue;
      violations_.Add(Cat("_info.", key), "is not supported yet; leave it out", "NOT_YET_SUPPORTED");
    }
  }

  void PluginConfigs(Struct& document) {
    const Value configs = Take(document, kPluginConfigs);
    if (configs.has_null_value()) return;
    if (!configs.has_struct_value()) return Expected("an object", configs, std::string(kPluginConfigs));
    for (const auto& [name, config] : configs.struct_value().fields()) {
      const std::string at = schema::Join(std::string(kPluginConfigs), name);
      if (!config.has_struct_value()) {
        Expected("an object", config, at);
      } else if (schema::CheckJson(config, schema::Place(at), 2, violations_)) {
        plugin_configs_[name] = config.struct_value();
      }
    }
  }

  void Expected(std::string_view what, const Value& value, const std::string& path) {
    violations_.Add(path, Cat("expected ", what, ", not ", schema::NameOfKind(value)));
  }

  void RefuseUnsupported(Struct& object, const std::string& path, const google::protobuf::Descriptor* type) {
    const auto is_unsupported = [](const auto& field) {
      const auto* end = std::end(kUnsupportedCollections);
      return std::find(std::begin(kUnsupportedCollections), end, field.first) != end;
    };
    if (std::none_of(object.fields().begin(), object.fields().end(), is_unsupported)) return;
    for (std::string_view key : kUnsupportedCollections) {
      if (type != nullptr && type->FindFieldByName(std::string(key)) != nullptr) continue;  // a route's snis
      const Value value = Take(object, key);
      if (!IsEmpty(value))
        violations_.Add(schema::Join(path, key), Cat(key, " are not supported yet; leave them out"),
                        "NOT_YET_SUPPORTED");
    }
  }

  void List(Value list, const std::string& path, const Collection& collection, const Parent* parent) {
    if (list.has_null_value()) return;
    if (!list.has_list_value()) return Expected("an array", list, path);
    const size_t most = MostOf(collection.kind);
    const auto size = static_cast<size_t>(list.list_value().values_size());
    if (size > most) {
      return violations_.Add(path, Cat("has ", size, " entities, at most ", most, " are allowed"), "TOO_MANY");
    }
    for (int i = 0; i < list.list_value().values_size(); ++i) {
      Value& item = *list.mutable_list_value()->mutable_values(i);
      const std::string at = schema::Join(path, i);
      if (!item.has_struct_value()) {
        Expected("an object", item, at);
        continue;
      }
      ForEachList(out_, [&](std::string_view kind, auto& entities) {
        if (kind == collection.kind) Item(*item.mutable_struct_value(), at, kind, parent, *entities.Add());
      });
    }
  }

  // Takes out of `fields` what is no field of the entity's own.
  template <typename Entity>
  void Item(Struct& fields, const std::string& path, std::string_view kind, const Parent* parent, Entity& entity) {
    if (paths_ != nullptr) paths_->Add(kind, path);
    std::vector<std::pair<const Collection*, Value>> nested;
    for (const Collection& collection : kCollections) {
      if (collection.within != kind) continue;
      if (Value list = Take(fields, collection.key); !list.has_null_value()) {
        nested.emplace_back(&collection, std::move(list));
      }
    }
    RefuseUnsupported(fields, path, Entity::descriptor());
    if constexpr (std::is_same_v<Entity, v1::Plugin>) UsePluginConfig(fields, path);
    schema::Decode(fields, path, entity, violations_);
    if (parent != nullptr) SetParent(*parent, path, entity);
    if constexpr (std::is_same_v<Entity, v1::KeyAuthCredential>) {
      // A dump could never show it: keys are kept only as their hashes.
      if (!fields.fields().contains("key"))
        violations_.Add(path + ".key", "required field missing: a document names its keys");
    }
    std::string reference = NameIn(entity);
    if constexpr (std::is_same_v<Entity, v1::Service> || std::is_same_v<Entity, v1::Route>) {
      if (reference.empty() && entity.id().empty()) {
        entity.set_id(IdOfContent(Cat(kind, parent == nullptr ? "" : parent->reference, schema::ToJson(fields))));
      }
    }
    if constexpr (std::is_same_v<Entity, v1::Certificate>) {
      // The same whether the key is written as text or as its hash.
      if (entity.id().empty()) entity.set_id(IdOfContent(Cat(kind, CanonicalPem(entity.cert()))));
    }
    if (reference.empty()) reference = entity.id();
    for (auto& [collection, list] : nested) {
      const Parent self{collection->parent, reference};
      List(std::move(list), schema::Join(path, collection->key), *collection, &self);
    }
  }

  // `_config: name` takes what the plugin's own configuration leaves out from there.
  void UsePluginConfig(Struct& fields, const std::string& path) {
    const Value name = Take(fields, "_config");
    if (name.has_null_value()) return;
    if (!name.has_string_value()) return Expected("a string", name, path + "._config");
    const auto shared = plugin_configs_.find(name.string_value());
    if (shared == plugin_configs_.end()) {
      return violations_.Add(
          path + "._config",
          Cat("there is no '", schema::EscapeBytes(name.string_value().substr(0, 128)), "' in ", kPluginConfigs),
          "DANGLING_REFERENCE");
    }
    Value& config = (*fields.mutable_fields())["config"];
    if (config.kind_case() == Value::KIND_NOT_SET || config.has_null_value()) config.mutable_struct_value();
    if (!config.has_struct_value()) return;  // decoding names it
    for (const auto& [key, value] : shared->second.fields()) {
      if (!config.struct_value().fields().contains(key))
        (*config.mutable_struct_value()->mutable_fields())[key] = value;
    }
  }

  void SetParent(const Parent& parent, const std::string& path, Message& entity) {
    const auto* field = entity.GetDescriptor()->FindFieldByName(std::string(parent.field));
    const std::string written = entity.GetReflection()->GetString(entity, field);
    if (!written.empty() && written != parent.reference) {
      violations_.Add(schema::Join(path, parent.field), Cat("is set by where it is nested; leave it out"));
    }
    entity.GetReflection()->SetString(&entity, field, parent.reference);
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
  std::map<std::string, Struct> plugin_configs_;
  std::map<std::string, int> seen_;
};

}  // namespace

void ParseDocument(const Struct& document, v1::GatewayConfig& out, schema::Violations& violations,
                   DocumentPaths* paths) {
  Reader(out, violations, paths).Document(document);
}

}  // namespace sluice::config
