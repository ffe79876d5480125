#pragma once

// A Struct as YAML that reads back the same. Stateless; callable from every thread.

#include <string>

#include "google/protobuf/struct.pb.h"

namespace sluice::cli {

// Names first, nested entities last, the rest by alphabet.
std::string WriteYaml(const google::protobuf::Struct& value);

}  // namespace sluice::cli
