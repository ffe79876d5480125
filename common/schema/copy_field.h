#pragma once

// One field of a message, copied by reflection. Stateless.

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace sluice::schema {

// Of two messages of one type, which `both` is of; a repeated field is added to what `to` has.
void CopyField(const google::protobuf::Message& from, const google::protobuf::Reflection& both,
               const google::protobuf::FieldDescriptor& field, google::protobuf::Message& to);

}  // namespace sluice::schema
