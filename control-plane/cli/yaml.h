#pragma once

// YAML and JSON files as decK users write them, read into a Struct with the place of every field, so that whatever the
// server finds wrong is shown where it was written. YAML 1.2 typing: yes and no are strings, 3.0 is a number, what is
// quoted is a string. `${{ env "DECK_X" }}` in a value is replaced by that variable. Stateless; callable from every
// thread.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/struct.pb.h"

namespace sluice::cli {

inline constexpr size_t kMaxYamlBytes = 4 * 1024 * 1024;  // what one call to the control plane may carry
inline constexpr int kMaxYamlDepth = 32;
inline constexpr int kMaxYamlNodes = 200'000;  // aliases count as what they stand for

struct Position {
  int line = 0;  // from 1
  int column = 0;
};

struct Document {
  google::protobuf::Struct value;
  std::map<std::string, Position> positions;  // "services[0].routes[1]": its key, or the item in a list

  // The position of the field, else of what is around it.
  std::optional<Position> Find(std::string field) const;
};

struct YamlError {
  Position position;
  std::string message;
};

using Variable = std::function<std::optional<std::string>(const std::string& name)>;

// False, with the first thing that is wrong in `error`.
bool ReadYaml(const std::string& text, const Variable& variable, Document& out, YamlError& error);

}  // namespace sluice::cli
