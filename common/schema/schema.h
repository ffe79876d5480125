#pragma once

// The reflection-driven engine behind every entity and every plugin's configuration: the options in
// proto/sluice/schema/v1 say what a field may hold, these functions hold it to that. Stateless; callable from every
// thread. Paths in violations are relative to `path` or `place` ("" for the top).

#include <span>
#include <string>
#include <string_view>

#include "common/schema/place.h"
#include "common/schema/violation.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::schema {

struct Shape;

inline constexpr int kMaxDepth = 32;              // of nested lists and objects
inline constexpr size_t kMaxStringBytes = 65536;  // where a field names no maximum
inline constexpr size_t kMaxItems = 10000;        // where a field names no maximum

// Reads a JSON object into `out`. Unknown fields, wrong types and invalid UTF-8 are violations; null is absence.
// A reference is written as "name", {"name": "..."}, {"id": "..."}. Does not fill in defaults and does not check
// bounds. Names among `others` are somebody else's: they are passed over.
void Decode(const google::protobuf::Struct& in, const Place& place, google::protobuf::Message& out,
            Violations& violations, std::span<const std::string_view> others = {});
inline void Decode(const google::protobuf::Struct& in, const std::string& path, google::protobuf::Message& out,
                   Violations& violations) {
  Decode(in, Place(path), out, violations);
}

// Sets every absent field that has a default. `shape` is of the message (shape.h).
void FillDefaults(google::protobuf::Message& message);
void FillDefaults(google::protobuf::Message& message, const Shape& shape);

// Clears every field that equals its default: what a person would have written.
void StripDefaults(google::protobuf::Message& message);

// Checks bounds, formats, required fields, allowed values and unsupported ones. With `restricted`, also the values that
// plans with plugin restrictions refuse; those violations carry the restriction's reason.
void Check(const google::protobuf::Message& message, const Place& place, bool restricted, Violations& violations);
void Check(const google::protobuf::Message& message, const Shape& shape, const Place& place, bool restricted,
           Violations& violations);
inline void Check(const google::protobuf::Message& message, const std::string& path, bool restricted,
                  Violations& violations) {
  Check(message, Place(path), restricted, violations);
}

// The message as Kong writes it: snake_case names, unwrapped lists, references as plain strings, absent fields left
// out.
google::protobuf::Struct Encode(const google::protobuf::Message& message);

// JSON Schema (2020-12) of the message.
google::protobuf::Struct Describe(const google::protobuf::Descriptor& descriptor);

// JSON text <-> Struct. Parse reports the offset of what is wrong in the violation's message.
bool ParseJson(std::string_view json, google::protobuf::Struct& out, std::string& error);
// Names sorted, so that equal values have equal text; on one line, or indented by so many blanks.
std::string ToJson(const google::protobuf::Message& struct_or_value, int indent = -1);

}  // namespace sluice::schema
