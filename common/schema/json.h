#pragma once

// JSON values inside the engine. Internal to common/schema and common/config. Stateless.

#include <string>
#include <string_view>

#include "common/schema/place.h"
#include "common/schema/violation.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::schema {

// As ParseJson, for a value of any kind.
bool ParseJsonValue(std::string_view json, google::protobuf::Value& out, std::string& error);

// Numbers are equal by value; an absent key and a null are not the same.
bool JsonEqual(const google::protobuf::Value& a, const google::protobuf::Value& b);

// Depth, numbers, item counts and UTF-8 of JSON whose shape no schema describes. True where nothing is wrong. `depth`
// is that of `value` itself, from 1.
bool CheckJson(const google::protobuf::Value& value, const Place& place, int depth, Violations& violations);
bool CheckJson(const google::protobuf::Struct& object, const Place& place, int depth, Violations& violations);
bool CheckJson(const google::protobuf::ListValue& list, const Place& place, int depth, Violations& violations);

// "a string", "an array": for "expected ..., not ...".
std::string_view NameOfKind(const google::protobuf::Value& value);

}  // namespace sluice::schema
