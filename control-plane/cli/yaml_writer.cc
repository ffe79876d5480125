#include "control-plane/cli/yaml_writer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "common/schema/schema.h"
#include "control-plane/cli/yaml_scalar.h"

namespace sluice::cli {

namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr std::array<std::string_view, 9> kFirst = {"_format_version", "id",     "name", "kind",         "username",
                                                    "custom_id",       "target", "key",  "instance_name"};
constexpr std::array<std::string_view, 11> kLast = {
    "services", "routes",       "consumers", "keyauth_credentials", "plugins", "upstreams", "targets",
    "config",   "certificates", "snis",      "ca_certificates"};

int Rank(std::string_view key) {
  const auto first = std::find(kFirst.begin(), kFirst.end(), key);
  if (first != kFirst.end()) return static_cast<int>(first - kFirst.begin());
  const auto last = std::find(kLast.begin(), kLast.end(), key);
  return last == kLast.end() ? 100 : 101 + static_cast<int>(last - kLast.begin());
}

std::vector<std::string> Keys(const Struct& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.fields()) keys.push_back(key);
  std::sort(keys.begin(), keys.end(),
            [](const auto& a, const auto& b) { return std::pair(Rank(a), a) < std::pair(Rank(b), b); });
  return keys;
}

// JSON's escapes are YAML's; the delete character is one that YAML wants escaped besides.
std::string Quoted(const std::string& text) {
  Value value;
  value.set_string_value(text);
  std::string out;
  for (const char c : schema::ToJson(value)) {
    if (c == '\x7f') {
      out += "\\u007f";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Text(const std::string& text) {
  if (IsPlainString(text)) return text;
  // Tagged, so that it is not taken for something to fill in.
  return text.find("${{") == std::string::npos ? Quoted(text) : "!!str " + Quoted(text);
}

// Several whole lines, such as a certificate: written as lines, where no character needs an escape and the first shows
// how far they are indented.
bool IsLines(const std::string& text) {
  if (!text.ends_with('\n') || text.ends_with("\n\n") || text.starts_with(' ')) return false;
  const auto plain = [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; };
  return text.find('\n') + 1 < text.size() && text[0] != '\n' && text.find("${{") == std::string::npos &&
         std::all_of(text.begin(), text.end(), plain);
}

void WriteLines(std::string_view text, size_t indent, std::string& out) {
  out += " |\n";
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    if (end - at > 1) out += std::string(indent, ' ');
    out += text.substr(at, end - at);
    at = end;
  }
}

bool IsBlock(const Value& value) {
  return (value.has_struct_value() && !value.struct_value().fields().empty()) ||
         (value.has_list_value() && !value.list_value().values().empty());
}

std::string Inline(const Value& value) {
  if (value.has_struct_value()) return "{}";
  if (value.has_list_value()) return "[]";
  return value.kind_case() == Value::kStringValue ? Text(value.string_value()) : schema::ToJson(value);
}

void WriteMap(const Struct& object, size_t indent, std::string& out);

// After "key:" or "-".
void WriteList(const google::protobuf::ListValue& list, size_t indent, std::string& out) {
  for (const Value& value : list.values()) {
    out += std::string(indent, ' ') + "-";
    if (!IsBlock(value)) {
      out += " " + Inline(value) + "\n";
    } else if (value.has_list_value()) {
      out += "\n";
      WriteList(value.list_value(), indent + 2, out);
    } else {
      std::string inner;
      WriteMap(value.struct_value(), indent + 2, inner);
      out += " " + inner.substr(indent + 2);
    }
  }
}

void WriteMap(const Struct& object, size_t indent, std::string& out) {
  for (const std::string& key : Keys(object)) {
    const Value& value = object.fields().at(key);
    out += std::string(indent, ' ') + Text(key) + ":";
    if (IsLines(value.string_value())) {
      WriteLines(value.string_value(), indent + 2, out);
      continue;
    }
    if (!IsBlock(value)) {
      out += " " + Inline(value) + "\n";
      continue;
    }
    out += "\n";
    if (value.has_list_value()) {
      WriteList(value.list_value(), indent, out);
    } else {
      WriteMap(value.struct_value(), indent + 2, out);
    }
  }
}

}  // namespace

std::string WriteYaml(const Struct& value) {
  std::string out;
  WriteMap(value, 0, out);
  return out.empty() ? "{}\n" : out;
}

}  // namespace sluice::cli
