#include "common/config/rules.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"
#include "common/schema/text.h"

namespace sluice::config {

using google::protobuf::Message;

std::unique_ptr<Message> DecodeConfig(const google::protobuf::Struct& config,
                                      const google::protobuf::Descriptor& descriptor, const schema::Place& place,
                                      schema::Violations& violations) {
  const schema::Shape& shape = schema::ShapeOf(descriptor);
  std::unique_ptr<Message> message(shape.prototype->New());
  schema::Decode(config, place, *message, violations);
  schema::FillDefaults(*message, shape);
  return message;
}

absl::StatusOr<std::unique_ptr<Message>> DecodePluginConfig(const v1::Plugin& plugin) {
  const PluginEntry* entry = FindPlugin(plugin.name());
  if (entry == nullptr || entry->config == nullptr) {
    return absl::InvalidArgumentError(schema::Cat("plugin '", plugin.name(), "' is not supported"));
  }
  schema::Violations violations;
  auto message = DecodeConfig(plugin.config(), *entry->config, schema::Place("config"), violations);
  if (violations.empty()) return message;
  const schema::Violation& first = violations.list().front();
  return absl::InvalidArgumentError(schema::Cat(first.field, ": ", first.message));
}

}  // namespace sluice::config
