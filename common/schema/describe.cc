#include "common/base/check.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Struct;
using google::protobuf::Value;

Value& Put(Struct& object, const std::string& key) {
  return (*object.mutable_fields())[key];
}

std::string_view FormatName(v1::Format format) {
  switch (format) {
    case v1::FORMAT_UUID:
      return "uuid";
    case v1::FORMAT_URL:
      return "uri";
    case v1::FORMAT_REGEX:
      return "regex";
    case v1::FORMAT_METHOD:
      return "http-method";
    case v1::FORMAT_HEADER_NAME:
      return "http-header-name";
    case v1::FORMAT_HOST:
      return "host";
    case v1::FORMAT_ROUTE_HOST:
      return "route-host";
    case v1::FORMAT_PATH:
      return "path";
    case v1::FORMAT_ROUTE_PATH:
      return "route-path";
    case v1::FORMAT_IP_OR_CIDR:
      return "ip-or-cidr";
    case v1::FORMAT_TARGET:
      return "host-and-port";
    case v1::FORMAT_NAME:
      return "name";
    case v1::FORMAT_TAG:
      return "tag";
    default:
      return "";
  }
}

Struct DescribeMessage(const Descriptor& type);

// A value of one element, with the bounds of `options`.
Struct DescribeOne(const FieldDescriptor& field, const v1::Field& options) {
  Struct out;
  const bool number = field.cpp_type() != FieldDescriptor::CPPTYPE_STRING;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return DescribeMessage(*field.message_type());
    case FieldDescriptor::CPPTYPE_BOOL:
      Put(out, "type").set_string_value("boolean");
      return out;
    case FieldDescriptor::CPPTYPE_STRING:
      Put(out, "type").set_string_value("string");
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      Put(out, "type").set_string_value("number");
      break;
    default:
      Put(out, "type").set_string_value("integer");
      break;
  }
  if (options.has_min()) Put(out, "minimum").set_number_value(options.min());
  if (options.has_max()) Put(out, "maximum").set_number_value(options.max());
  if (options.min_length() > 0) Put(out, "minLength").set_number_value(options.min_length());
  if (!number) {
    const size_t most = options.max_length() > 0 ? options.max_length() : kMaxStringBytes;
    Put(out, "maxLength").set_number_value(static_cast<double>(most));
  }
  if (const std::string_view format = FormatName(options.format()); !format.empty()) {
    Put(out, "format").set_string_value(std::string(format));
  }
  for (const std::string& allowed : options.one_of()) {
    Value& value = *Put(out, "enum").mutable_list_value()->add_values();
    std::string error;
    if (!number) {
      value.set_string_value(allowed);
    } else {
      SLUICE_CHECK(ParseJsonValue(allowed, value, error));
    }
  }
  return out;
}

Struct DescribeList(const FieldDescriptor& field, const v1::Field& options) {
  Struct out;
  Put(out, "type").set_string_value("array");
  *Put(out, "items").mutable_struct_value() = DescribeOne(field, options);
  if (options.min_items() > 0) Put(out, "minItems").set_number_value(options.min_items());
  const size_t most = options.max_items() > 0 ? options.max_items() : kMaxItems;
  Put(out, "maxItems").set_number_value(static_cast<double>(most));
  if (options.unique_items()) Put(out, "uniqueItems").set_bool_value(true);
  return out;
}

// What holds for the field as a whole. Keywords of our own begin with x-.
void DescribeRules(const v1::Field& options, Struct& out) {
  std::string error;
  if (!options.default_().empty()) SLUICE_CHECK(ParseJsonValue(options.default_(), Put(out, "default"), error));
  if (!options.description().empty()) Put(out, "description").set_string_value(options.description());
  if (options.read_only()) Put(out, "readOnly").set_bool_value(true);
  if (options.secret()) Put(out, "x-secret").set_bool_value(true);
  if (!options.references().empty()) Put(out, "x-references").set_string_value(options.references());
  if (!options.unsupported().empty()) Put(out, "x-unsupported").set_string_value(options.unsupported());
  for (const v1::Restriction& restriction : options.restrictions()) {
    Struct& one = *Put(out, "x-restrictions").mutable_list_value()->add_values()->mutable_struct_value();
    if (!restriction.value().empty()) Put(one, "value").set_string_value(restriction.value());
    Put(one, "reason").set_string_value(restriction.reason());
    Put(one, "instead").set_string_value(restriction.instead());
  }
}

Struct DescribeField(const FieldDescriptor& field) {
  const v1::Field& options = OptionsOf(field);
  Struct out;
  if (field.is_map()) {
    Put(out, "type").set_string_value("object");
    *Put(out, "additionalProperties").mutable_struct_value() = DescribeOne(*field.message_type()->map_value(), options);
    const size_t most = options.max_items() > 0 ? options.max_items() : kMaxItems;
    Put(out, "maxProperties").set_number_value(static_cast<double>(most));
  } else {
    out = field.is_repeated() ? DescribeList(field, options) : DescribeOne(field, options);
  }
  DescribeRules(options, out);
  return out;
}

Struct DescribeMessage(const Descriptor& type) {
  Struct out;
  if (IsUnwrapped(type)) return DescribeField(*type.field(0));
  if (type.well_known_type() == Descriptor::WELLKNOWNTYPE_VALUE) return out;  // anything
  if (type.well_known_type() == Descriptor::WELLKNOWNTYPE_LISTVALUE) {
    Put(out, "type").set_string_value("array");
    return out;
  }
  Put(out, "type").set_string_value("object");
  if (IsJson(type)) return out;
  Struct& properties = *Put(out, "properties").mutable_struct_value();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    *Put(properties, WireName(field)).mutable_struct_value() = DescribeField(field);
    if (OptionsOf(field).required()) {
      Put(out, "required").mutable_list_value()->add_values()->set_string_value(WireName(field));
    }
  }
  Put(out, "additionalProperties").set_bool_value(false);
  return out;
}

}  // namespace

Struct Describe(const Descriptor& descriptor) {
  Struct out = DescribeMessage(descriptor);
  Put(out, "$schema").set_string_value("https://json-schema.org/draft/2020-12/schema");
  const v1::Message& options = descriptor.options().GetExtension(v1::message);
  if (!options.plugin().name().empty()) Put(out, "title").set_string_value(options.plugin().name());
  if (!options.plugin().description().empty()) {
    Put(out, "description").set_string_value(options.plugin().description());
  }
  return out;
}

}  // namespace sluice::schema
