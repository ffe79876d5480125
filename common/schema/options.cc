#include "common/schema/options.h"

#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::FieldDescriptor;

constexpr size_t kMaxKeyInPath = 64;

std::string CamelCase(std::string_view name) {
  std::string out;
  bool upper = false;
  for (char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper ? Upper(std::string_view(&c, 1)) : std::string(1, c);
      upper = false;
    }
  }
  return out;
}

}  // namespace

std::string WireName(const FieldDescriptor& field) {
  return field.json_name() == CamelCase(field.name()) ? field.name() : field.json_name();
}

bool IsJson(const google::protobuf::Descriptor& message) {
  using google::protobuf::Descriptor;
  switch (message.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_STRUCT:
    case Descriptor::WELLKNOWNTYPE_VALUE:
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return true;
    default:
      return false;
  }
}

bool IsPresent(const google::protobuf::Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  return field.is_repeated() ? reflection->FieldSize(message, &field) > 0 : reflection->HasField(message, &field);
}

std::string Join(const std::string& path, std::string_view key) {
  std::string shown(key.substr(0, kMaxKeyInPath));
  bool printable = IsUtf8(shown);
  for (char c : shown) printable = printable && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  if (!printable) shown = EscapeBytes(shown);
  if (key.size() > kMaxKeyInPath) shown += "...";
  return path.empty() ? shown : Cat(path, ".", shown);
}

std::string Join(const std::string& path, int index) {
  return Cat(path, "[", index, "]");
}

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i <= static_cast<size_t>(more)) return false;
    uint32_t code = lead & (0x3F >> more);
    for (int k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = (code << 6) | (next & 0x3F);
    }
    if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000)) return false;  // longer than needed
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace sluice::schema
