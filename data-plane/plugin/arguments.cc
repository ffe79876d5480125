#include "data-plane/plugin/arguments.h"

#include <algorithm>

#include "common/schema/text.h"

namespace sluice::plugins {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Argument Changed(std::string_view name, std::string_view value) {
  return {.name = std::string(name), .value = std::string(value), .has_value = true, .raw = {}};
}

}  // namespace

std::optional<Arguments> Arguments::Parse(std::string_view text) {
  Arguments arguments;
  while (!text.empty()) {
    size_t end = std::min(text.find('&'), text.size());
    std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (raw.empty()) continue;
    if (arguments.list_.size() == kMaxArguments) return std::nullopt;
    size_t equals = std::min(raw.find('='), raw.size());
    const bool has_value = equals < raw.size();
    arguments.list_.push_back({.name = DecodeArgument(raw.substr(0, equals)),
                               .value = has_value ? DecodeArgument(raw.substr(equals + 1)) : std::string(),
                               .has_value = has_value,
                               .raw = std::string(raw)});
  }
  return arguments;
}

const Argument* Arguments::Find(std::string_view name) const {
  auto found = std::ranges::find(list_, name, &Argument::name);
  return found == list_.end() ? nullptr : &*found;
}

size_t Arguments::Count(std::string_view name) const { return std::ranges::count(list_, name, &Argument::name); }

bool Arguments::Remove(std::string_view name) {
  return std::erase_if(list_, [&](const Argument& a) { return a.name == name; }) > 0;
}

bool Arguments::Rename(std::string_view from, std::string_view to) {
  if (from == to || Find(from) == nullptr) return false;
  Remove(to);
  for (Argument& argument : list_) {
    if (argument.name != from) continue;
    argument.name = to;
    argument.raw.clear();
  }
  return true;
}

bool Arguments::Replace(std::string_view name, std::string_view value) {
  auto first = std::ranges::find(list_, name, &Argument::name);
  if (first == list_.end()) return false;
  *first = Changed(name, value);
  list_.erase(std::remove_if(first + 1, list_.end(), [&](const Argument& a) { return a.name == name; }), list_.end());
  return true;
}

bool Arguments::Add(std::string_view name, std::string_view value) {
  return Find(name) == nullptr && Append(name, value);
}

bool Arguments::Append(std::string_view name, std::string_view value) {
  if (list_.size() == kMaxArguments) return false;
  list_.push_back(Changed(name, value));
  return true;
}

std::string Arguments::ToString() const {
  std::string text;
  for (const Argument& argument : list_) {
    if (!text.empty()) text += '&';
    if (!argument.raw.empty()) {
      text += argument.raw;
      continue;
    }
    text += EncodeArgument(argument.name);
    if (argument.has_value) text += '=' + EncodeArgument(argument.value);
  }
  return text;
}

std::string DecodeArgument(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string EncodeArgument(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (schema::IsAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace sluice::plugins
