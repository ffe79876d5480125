#include "common/schema/options.h"

#include "common/schema/place.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::FieldDescriptor;

constexpr size_t kMaxKeyInPath = 64;

// Whether `json` is what the compiler makes of `name` where nothing else was asked for: "max_body" is "maxBody".
bool IsCamelCaseOf(std::string_view json, std::string_view name) {
  size_t at = 0;
  bool upper = false;
  for (char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    const char expected = upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (at == json.size() || json[at++] != expected) return false;
    upper = false;
  }
  return at == json.size();
}

}  // namespace

const std::string& WireName(const FieldDescriptor& field) {
  return IsCamelCaseOf(field.json_name(), field.name()) ? field.name() : field.json_name();
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

std::string Place::Text() const {
  if (words_) return (*words_)();
  if (up_ == nullptr) return std::string(text_);
  return index_ >= 0 ? Join(up_->Text(), index_) : Join(up_->Text(), key_);
}

}  // namespace sluice::schema
