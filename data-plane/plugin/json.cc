#include "data-plane/plugin/json.h"

#include "nlohmann/json.hpp"

namespace sluice::plugins {
namespace {

// Looked at before parsing: what is built recursively is also destroyed recursively.
bool IsShallow(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace

bool ParseJsonObject(std::string_view text, Json& out) {
  if (!IsShallow(text)) return false;
  out = Json::parse(text, nullptr, false);
  return out.is_object();
}

std::string DumpJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool RenameMember(Json& object, const std::string& from, const std::string& to) {
  auto found = object.find(from);
  if (from == to || found == object.end()) return false;
  Json value = std::move(*found);
  object.erase(from);
  object[to] = std::move(value);
  return true;
}

void AppendToMember(Json& object, const std::string& name, Json value) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    object[name] = Json::array({std::move(value)});
  } else if (found->is_array()) {
    found->push_back(std::move(value));
  } else {
    Json before = std::move(*found);
    *found = Json::array({std::move(before), std::move(value)});
  }
}

}  // namespace sluice::plugins
