#pragma once

// Words for the tests of the engine: JSON in, messages or violations as text out. Header only.

#include <string>

#include "catch2/catch.hpp"
#include "common/schema/schema.h"
#include "sluice/config/v1/entities.pb.h"

namespace sluice::schema {

inline google::protobuf::Struct Json(const std::string& text) {
  google::protobuf::Struct out;
  std::string error;
  INFO(text);
  if (!ParseJson(text, out, error)) FAIL(error);
  return out;
}

// "field: message" a line.
inline std::string Text(const Violations& violations) {
  std::string out;
  for (const Violation& violation : violations.list()) {
    if (!out.empty()) out += "\n";
    out += violation.field + ": " + violation.message;
  }
  return out;
}

template <typename T>
T Read(const std::string& json) {
  T message;
  Violations violations;
  Decode(Json(json), "", message, violations);
  CHECK(Text(violations) == "");
  return message;
}

// What Decode says of it, below "at".
template <typename T>
std::string Wrong(const std::string& json) {
  T message;
  Violations violations;
  Decode(Json(json), "at", message, violations);
  return Text(violations);
}

// What Check says of it.
template <typename T>
std::string Refused(const std::string& json, bool restricted = false) {
  Violations violations;
  Check(Read<T>(json), "", restricted, violations);
  return Text(violations);
}

// {"config": {"a": {"a": ...}}} with that many objects in `config`, itself counted.
inline google::protobuf::Struct Nested(int levels) {
  google::protobuf::Value value;
  value.set_number_value(1);
  for (int i = 0; i < levels; ++i) {
    google::protobuf::Value outer;
    (*outer.mutable_struct_value()->mutable_fields())["a"] = value;
    value = outer;
  }
  google::protobuf::Struct out;
  (*out.mutable_fields())["config"] = value;
  return out;
}

}  // namespace sluice::schema
