#include "control-plane/access/redact.h"

#include <memory>
#include <vector>

#include "common/schema/copy_field.h"
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

// What may be shown of it. Documents are most of what an import carries: they are left out, not copied and cleared.
void CopyShown(const Message& from, Message& to) {
  const Reflection& both = *from.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  both.ListFields(from, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->message_type() == google::protobuf::Struct::descriptor()) continue;
    if (field->options().GetExtension(sluice::schema::v1::field).secret()) {
      const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated();
      if (is_text) both.SetString(&to, field, "***");
    } else if (is_message && field->is_repeated()) {
      for (int i = 0; i < both.FieldSize(from, field); ++i)
        CopyShown(both.GetRepeatedMessage(from, field, i), *both.AddMessage(&to, field));
    } else if (is_message) {
      CopyShown(both.GetMessage(from, field), *both.MutableMessage(&to, field));
    } else {
      schema::CopyField(from, both, *field, to);
    }
  }
}

}  // namespace

std::string AuditDetail(const Message& request) {
  const std::unique_ptr<Message> copy(request.New());
  CopyShown(request, *copy);
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(*copy, &json, options).ok() || json.size() > kMaxDetailBytes) {
    return Cat("{\"omitted_bytes\":", request.ByteSizeLong(), "}");
  }
  return json;
}

}  // namespace sluice::access
