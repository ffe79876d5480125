#include "common/schema/shape.h"

#include <mutex>

#include "common/base/check.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Value;

Value ParsedOption(const std::string& json) {
  Value value;
  std::string error;
  SLUICE_CHECK(ParseJsonValue(json, value, error));
  return value;
}

bool CanBeWrong(const FieldShape& field) {
  const v1::Field& options = *field.options;
  if (options.required() || field.is_refusable || field.is_repeated || field.is_message || options.one_of_size() > 0) {
    return true;
  }
  if (field.type == FieldDescriptor::CPPTYPE_BOOL) return false;
  return field.type == FieldDescriptor::CPPTYPE_STRING || field.type == FieldDescriptor::CPPTYPE_DOUBLE ||
         options.has_min() || options.has_max();
}

FieldShape Make(const FieldDescriptor& field) {
  FieldShape shape{.field = &field, .options = &OptionsOf(field), .name = &WireName(field)};
  shape.type = field.cpp_type();
  shape.is_repeated = field.is_repeated();
  shape.is_map = field.is_map();
  shape.is_message = shape.type == FieldDescriptor::CPPTYPE_MESSAGE;
  const std::string& text = shape.options->default_();
  shape.is_filled = !text.empty() && text != "[]";
  if (!text.empty()) shape.default_value = ParsedOption(text);
  shape.is_refusable = shape.options->restrictions_size() > 0 || !shape.options->unsupported().empty();
  const auto type = shape.is_map ? field.message_type()->map_value()->cpp_type() : shape.type;
  for (const std::string& allowed : shape.options->one_of()) {
    if (type == FieldDescriptor::CPPTYPE_STRING) break;
    const Value value = ParsedOption(allowed);
    SLUICE_CHECK(value.has_number_value());
    shape.numbers.push_back(value.number_value());
  }
  if (shape.is_message) shape.shape = &ShapeOf(*field.message_type());
  return shape;
}

std::unique_ptr<const Message> DefaultsOf(const Shape& shape) {
  Struct object;
  for (const FieldShape* field : shape.filled) (*object.mutable_fields())[*field->name] = *field->default_value;
  std::unique_ptr<Message> message(shape.prototype->New());
  Violations violations;
  Decode(object, "", *message, violations);
  SLUICE_CHECK(violations.empty());
  FillDefaults(*message);
  return message;
}

void Make(const Descriptor& type, Shape& shape) {
  shape.prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  SLUICE_CHECK(shape.prototype != nullptr);
  shape.reflection = shape.prototype->GetReflection();
  shape.well_known = type.well_known_type();
  shape.is_json = IsJson(type);
  if (shape.is_json) {
    shape.has_defaults = false;
    return;
  }
  shape.unwrapped = IsUnwrapped(type);
  shape.fields.reserve(static_cast<size_t>(type.field_count()));  // pointers to them stay
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldShape& field = shape.fields.emplace_back(Make(*type.field(i)));
    shape.by_name[*field.name] = static_cast<size_t>(i);
    if (CanBeWrong(field)) shape.checked.push_back(&field);
    if (field.is_filled) shape.filled.push_back(&field);
    if (field.is_message && field.shape->has_defaults) shape.fillable.push_back(&field);
    if (!field.options->references().empty()) shape.references.push_back(&field);
  }
  shape.has_defaults = !shape.filled.empty() || !shape.fillable.empty();
  if (!shape.filled.empty()) shape.defaults = DefaultsOf(shape);  // asks for the shape that is there now
}

// Its descriptor's lifetime is the process's, and so is its own.
class Shapes {
 public:
  const Shape& Of(const Descriptor& type) {
    std::lock_guard lock(mutex_);
    if (const auto known = shapes_.find(&type); known != shapes_.end()) return *known->second;
    Shape& made = *(shapes_[&type] = std::make_unique<Shape>());
    Make(type, made);  // may come back here, for other types and for its own
    return made;
  }

 private:
  std::recursive_mutex mutex_;
  absl::flat_hash_map<const Descriptor*, std::unique_ptr<Shape>> shapes_;
};

}  // namespace

const Shape& ShapeOf(const Descriptor& type) {
  static Shapes& shapes = *new Shapes;
  // Of each thread, so that asking costs a look and no lock.
  thread_local absl::flat_hash_map<const Descriptor*, const Shape*> known;
  if (const auto found = known.find(&type); found != known.end()) return *found->second;
  const Shape& shape = shapes.Of(type);  // may come back here for other types
  known[&type] = &shape;
  return shape;
}

}  // namespace sluice::schema
