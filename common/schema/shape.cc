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

FieldShape Make(const FieldDescriptor& field) {
  FieldShape shape{.field = &field, .options = &OptionsOf(field), .name = WireName(field), .default_value = {}};
  shape.is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const std::string& text = shape.options->default_();
  shape.is_filled = !text.empty() && text != "[]";
  if (!text.empty()) {
    std::string error;
    SLUICE_CHECK(ParseJsonValue(text, shape.default_value.emplace(), error));
  }
  return shape;
}

bool HasSchema(const FieldDescriptor& field) {
  if (IsJson(*field.message_type())) return false;
  return !field.is_map() || field.message_type()->map_value()->message_type() != nullptr;
}

std::unique_ptr<const Message> DefaultsOf(const Descriptor& type, const Shape& shape) {
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  if (prototype == nullptr || shape.is_json) return nullptr;
  Struct object;
  for (const FieldShape& field : shape.fields) {
    if (field.is_filled) (*object.mutable_fields())[std::string(field.name)] = *field.default_value;
  }
  std::unique_ptr<Message> message(prototype->New());
  Violations violations;
  Decode(object, "", *message, violations);
  SLUICE_CHECK(violations.empty());
  return message;
}

std::unique_ptr<Shape> Make(const Descriptor& type) {
  auto shape = std::make_unique<Shape>();
  shape->is_json = IsJson(type);
  shape->unwrapped = IsUnwrapped(type);
  shape->fields.reserve(static_cast<size_t>(type.field_count()));  // pointers to them stay
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldShape& field = shape->fields.emplace_back(Make(*type.field(i)));
    shape->by_name[field.name] = static_cast<size_t>(i);
    if (field.is_message && HasSchema(*field.field)) shape->nested.push_back(&field);
    if (field.is_filled) shape->filled.push_back(&field);
    if (!field.options->references().empty()) shape->references.push_back(&field);
  }
  return shape;
}

// Its descriptor's lifetime is the process's, and so is its own.
class Shapes {
 public:
  const Shape& Of(const Descriptor& type) {
    std::lock_guard lock(mutex_);
    if (const auto known = shapes_.find(&type); known != shapes_.end()) return *known->second;
    Shape& made = *(shapes_[&type] = Make(type));
    made.defaults = DefaultsOf(type, made);  // asks for the shape that is there now
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
