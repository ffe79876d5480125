#include "common/config/redact.h"

#include "common/config/entity.h"
#include "common/config/key_hash.h"
#include "common/config/plugin_catalogue.h"
#include "common/schema/options.h"

namespace sluice::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Struct;
using google::protobuf::Value;

// Keeps the shape, so that it still shows which entry of a list or object it is.
void Hide(Value& value) {
  if (value.has_struct_value()) {
    for (auto& entry : *value.mutable_struct_value()->mutable_fields()) Hide(entry.second);
  } else if (value.has_list_value()) {
    for (Value& item : *value.mutable_list_value()->mutable_values()) Hide(item);
  } else {
    value.set_string_value("***");
  }
}

void HideSecrets(const Descriptor& type, Struct& fields);

void HideWithin(const FieldDescriptor& field, Value& value) {
  if (schema::OptionsOf(field).secret()) return Hide(value);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_map() || schema::IsJson(*field.message_type()))
    return;
  if (value.has_struct_value()) return HideSecrets(*field.message_type(), *value.mutable_struct_value());
  if (!value.has_list_value()) return;
  for (Value& item : *value.mutable_list_value()->mutable_values()) {
    if (item.has_struct_value()) HideSecrets(*field.message_type(), *item.mutable_struct_value());
  }
}

void HideSecrets(const Descriptor& type, Struct& fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto found = fields.mutable_fields()->find(schema::WireName(*type.field(i)));
    if (found != fields.mutable_fields()->end()) HideWithin(*type.field(i), found->second);
  }
}

}  // namespace

void Redact(const v1::Entity& entity, Struct& fields) {
  HideSecrets(*Unwrap(entity)->GetDescriptor(), fields);
  if (!entity.has_plugin()) return;
  const auto config = fields.mutable_fields()->find("config");
  if (config == fields.mutable_fields()->end()) return;
  const PluginEntry* entry = FindPlugin(entity.plugin().name());
  if (entry == nullptr || entry->config == nullptr) return Hide(config->second);
  HideSecrets(*entry->config, *config->second.mutable_struct_value());
}

void HideKeys(v1::Certificate& certificate) {
  if (certificate.has_key()) certificate.set_key(HashKey(certificate.key()));
  if (certificate.has_key_alt()) certificate.set_key_alt(HashKey(certificate.key_alt()));
}

void HideKeys(v1::Entity& entity) {
  if (entity.has_certificate()) HideKeys(*entity.mutable_certificate());
}

}  // namespace sluice::config
