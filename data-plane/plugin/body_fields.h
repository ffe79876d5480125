#pragma once

// A request body as named fields, whatever its form: URL-encoded, multipart or a JSON object. One thread at a time.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::plugins {

inline constexpr size_t kMaxBodyFieldsBytes = 10 * 1024 * 1024;  // of a body that a plugin reads

class BodyFields {
 public:
  virtual ~BodyFields() = default;

  // The text values; a list or an object of JSON counts as several.
  virtual std::vector<std::string> Values(const std::string& name) const = 0;
  // Each tells whether it changed anything.
  virtual bool Remove(const std::string& name) = 0;
  virtual bool Rename(const std::string& from, const std::string& to) = 0;
  virtual bool Replace(const std::string& name, const std::string& value) = 0;  // nothing where absent
  virtual bool Add(const std::string& name, const std::string& value) = 0;      // nothing where present
  virtual bool Append(const std::string& name, const std::string& value) = 0;
  virtual std::string Serialize() const = 0;
};

enum class BodyForm { kOther, kUrlEncoded, kMultipart, kJson };
BodyForm BodyFormOf(std::string_view content_type);

// Null where the form is kOther or the body is not of its form. An empty body has no fields.
std::unique_ptr<BodyFields> ParseBodyFields(std::string_view content_type, std::string_view body);

// One form each.
std::unique_ptr<BodyFields> ParseUrlEncoded(std::string_view body);
std::unique_ptr<BodyFields> ParseMultipart(std::string_view content_type, std::string_view body);
std::unique_ptr<BodyFields> ParseJsonFields(std::string_view body);

}  // namespace sluice::plugins
