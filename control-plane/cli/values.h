#pragma once

// Answers of the admin API as JSON values for people and scripts: integers are numbers, times are RFC 3339, entities
// are written as Kong writes them. Stateless.

#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::cli {

google::protobuf::Struct ToStruct(const google::protobuf::Message& message);

// Indented JSON.
std::string WriteJson(const google::protobuf::Struct& value);

}  // namespace sluice::cli
