#include "control-plane/access/redact.h"

#include <memory>
#include <vector>

#include "common/schema/text.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::access {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using schema::Cat;

void Redact(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->message_type() == google::protobuf::Struct::descriptor()) {
      reflection.ClearField(&message, field);
    } else if (field->options().GetExtension(sluice::schema::v1::field).secret()) {
      const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated();
      reflection.ClearField(&message, field);
      if (is_text) reflection.SetString(&message, field, "***");
    } else if (is_message && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i)
        Redact(*reflection.MutableRepeatedMessage(&message, field, i));
    } else if (is_message) {
      Redact(*reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace

std::string AuditDetail(const Message& request) {
  const std::unique_ptr<Message> copy(request.New());
  copy->CopyFrom(request);
  Redact(*copy);
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(*copy, &json, options).ok() || json.size() > kMaxDetailBytes) {
    return Cat("{\"omitted_bytes\":", request.ByteSizeLong(), "}");
  }
  return json;
}

}  // namespace sluice::access
