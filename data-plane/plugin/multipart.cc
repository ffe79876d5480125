#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/schema/text.h"
#include "data-plane/plugin/body_fields.h"

namespace sluice::plugins {
namespace {

constexpr size_t kMaxParts = 1000;
constexpr size_t kMaxBoundaryBytes = 70;  // RFC 2046 section 5.1.1

struct Part {
  std::string head;  // its fields, each with its CRLF
  std::string name;
  std::string content;
};

// Where the next parameter's semicolon is, from `at` on: none inside quotes counts.
size_t NextSemicolon(std::string_view field, size_t at) {
  bool quoted = false;
  for (; at < field.size(); ++at) {
    if (quoted && field[at] == '\\') {
      ++at;
    } else if (field[at] == '"') {
      quoted = !quoted;
    } else if (field[at] == ';' && !quoted) {
      return at;
    }
  }
  return std::string_view::npos;
}

// The value of a parameter of Content-Type or Content-Disposition, quoted or not; "" where absent.
std::string Parameter(std::string_view field, std::string_view name) {
  const std::string lower = schema::Lower(field);
  for (size_t at = NextSemicolon(lower, 0); at != std::string::npos; at = NextSemicolon(lower, at)) {
    at = lower.find_first_not_of("; \t", at);
    if (at == std::string::npos) return {};
    const size_t equals = at + name.size();
    if (lower.compare(at, name.size(), name) != 0 || equals >= lower.size() || lower[equals] != '=') continue;
    std::string_view value = field.substr(equals + 1);
    if (value.empty() || value.front() != '"') {
      return std::string(value.substr(0, value.find_first_of("; \t")));
    }
    std::string unquoted;
    for (size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      unquoted += value[i];
    }
    return unquoted;
  }
  return {};
}

std::string NameOf(std::string_view head) {
  for (size_t begin = 0; begin < head.size();) {
    size_t end = head.find("\r\n", begin);
    std::string_view line = head.substr(begin, end - begin);
    begin = end + 2;
    if (schema::Lower(line.substr(0, 20)) == "content-disposition:") return Parameter(line, "name");
  }
  return {};
}

std::string EscapeName(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '"') {
      out += "%22";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out;
}

class MultipartFields final : public BodyFields {
 public:
  MultipartFields(std::string boundary, std::vector<Part> parts)
      : boundary_(std::move(boundary)), parts_(std::move(parts)) {}

  std::vector<std::string> Values(const std::string& name) const override {
    std::vector<std::string> values;
    for (const Part& part : parts_) {
      if (part.name == name) values.push_back(part.content);
    }
    return values;
  }
  bool Remove(const std::string& name) override {
    return std::erase_if(parts_, [&](const Part& part) { return part.name == name; }) > 0;
  }
  bool Rename(const std::string& from, const std::string& to) override {
    auto part = Find(from);
    if (from == to || part == parts_.end()) return false;
    std::string content = part->content;
    Remove(from);
    Remove(to);
    parts_.push_back(Simple(to, std::move(content)));
    return true;
  }
  bool Replace(const std::string& name, const std::string& value) override {
    if (Find(name) == parts_.end() || EndsPart(value)) return false;
    Remove(name);
    parts_.push_back(Simple(name, value));
    return true;
  }
  bool Add(const std::string& name, const std::string& value) override {
    return Find(name) == parts_.end() && Append(name, value);
  }
  bool Append(const std::string& name, const std::string& value) override {
    if (parts_.size() >= kMaxParts || EndsPart(value)) return false;
    parts_.push_back(Simple(name, value));
    return true;
  }
  std::string Serialize() const override {
    std::string out;
    for (const Part& part : parts_) {
      out += schema::Cat("--", boundary_, "\r\n", part.head, "\r\n", part.content, "\r\n");
    }
    return schema::Cat(out, "--", boundary_, "--\r\n");
  }

 private:
  std::vector<Part>::iterator Find(const std::string& name) { return std::ranges::find(parts_, name, &Part::name); }
  static Part Simple(const std::string& name, std::string content) {
    std::string head = schema::Cat("Content-Disposition: form-data; name=\"", EscapeName(name), "\"\r\n");
    return {std::move(head), name, std::move(content)};
  }
  // A value with the boundary inside would add parts of its own.
  bool EndsPart(const std::string& value) const {
    return value.find(schema::Cat("--", boundary_)) != std::string::npos;
  }

  std::string boundary_;
  std::vector<Part> parts_;
};

std::optional<std::vector<Part>> ParseParts(const std::string& boundary, std::string_view body) {
  const std::string delimiter = schema::Cat("\r\n--", boundary);
  std::vector<Part> parts;
  // The first delimiter may open the body; what precedes it is a preamble, which means nothing.
  size_t at = body.starts_with(delimiter.substr(2)) ? 0 : body.find(delimiter);
  if (at == std::string_view::npos) return std::nullopt;
  at += at == 0 && body.starts_with(delimiter.substr(2)) ? delimiter.size() - 2 : delimiter.size();
  while (!body.substr(at).starts_with("--")) {
    if (!body.substr(at).starts_with("\r\n") || parts.size() == kMaxParts) return std::nullopt;
    const size_t begin = at + 2;
    const size_t end = body.find(delimiter, at);
    if (end == std::string_view::npos || end < begin) return std::nullopt;
    std::string_view part = body.substr(begin, end - begin);
    const size_t blank = part.starts_with("\r\n") ? 0 : part.find("\r\n\r\n");
    if (blank == std::string_view::npos) return std::nullopt;
    const size_t head = blank == 0 ? 0 : blank + 2;
    parts.push_back({std::string(part.substr(0, head)), {}, std::string(part.substr(head + 2))});
    parts.back().name = NameOf(parts.back().head);
    at = end + delimiter.size();
  }
  return parts;
}

}  // namespace

std::unique_ptr<BodyFields> ParseMultipart(std::string_view content_type, std::string_view body) {
  std::string boundary = Parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kMaxBoundaryBytes) return nullptr;
  std::optional<std::vector<Part>> parts = std::vector<Part>();
  if (!body.empty()) parts = ParseParts(boundary, body);
  if (!parts.has_value()) return nullptr;
  return std::make_unique<MultipartFields>(std::move(boundary), *std::move(parts));
}

}  // namespace sluice::plugins
