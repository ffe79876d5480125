#include "data-plane/plugin/body_fields.h"

#include <optional>

#include "common/schema/text.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/json.h"
#include "nlohmann/json.hpp"

namespace sluice::plugins {
namespace {

class UrlEncodedFields final : public BodyFields {
 public:
  explicit UrlEncodedFields(Arguments arguments) : arguments_(std::move(arguments)) {}
  std::vector<std::string> Values(const std::string& name) const override {
    std::vector<std::string> values;
    for (const Argument& argument : arguments_.list()) {
      if (argument.name == name && argument.has_value) values.push_back(argument.value);
    }
    return values;
  }
  bool Remove(const std::string& name) override { return arguments_.Remove(name); }
  bool Rename(const std::string& from, const std::string& to) override { return arguments_.Rename(from, to); }
  bool Replace(const std::string& name, const std::string& value) override { return arguments_.Replace(name, value); }
  bool Add(const std::string& name, const std::string& value) override { return arguments_.Add(name, value); }
  bool Append(const std::string& name, const std::string& value) override { return arguments_.Append(name, value); }
  std::string Serialize() const override { return arguments_.ToString(); }

 private:
  Arguments arguments_;
};

class JsonFields final : public BodyFields {
 public:
  explicit JsonFields(Json object) : object_(std::move(object)) {}
  std::vector<std::string> Values(const std::string& name) const override {
    auto found = object_.find(name);
    if (found == object_.end()) return {};
    if (found->is_string()) return {found->get<std::string>()};
    if (found->is_structured()) return {"", ""};
    return {};
  }
  bool Remove(const std::string& name) override { return object_.erase(name) > 0; }
  bool Rename(const std::string& from, const std::string& to) override { return RenameMember(object_, from, to); }
  bool Replace(const std::string& name, const std::string& value) override {
    if (!object_.contains(name)) return false;
    object_[name] = value;
    return true;
  }
  bool Add(const std::string& name, const std::string& value) override {
    if (object_.contains(name)) return false;
    object_[name] = value;
    return true;
  }
  bool Append(const std::string& name, const std::string& value) override {
    AppendToMember(object_, name, value);
    return true;
  }
  std::string Serialize() const override { return DumpJson(object_); }

 private:
  Json object_;
};

}  // namespace

BodyForm BodyFormOf(std::string_view content_type) {
  const std::string type = schema::Lower(content_type.substr(0, content_type.find(';')));
  if (type.find("application/x-www-form-urlencoded") != std::string::npos) return BodyForm::kUrlEncoded;
  if (type.find("multipart/form-data") != std::string::npos) return BodyForm::kMultipart;
  if (type.find("application/json") != std::string::npos) return BodyForm::kJson;
  return BodyForm::kOther;
}

std::unique_ptr<BodyFields> ParseBodyFields(std::string_view content_type, std::string_view body) {
  switch (BodyFormOf(content_type)) {
    case BodyForm::kUrlEncoded:
      return ParseUrlEncoded(body);
    case BodyForm::kMultipart:
      return ParseMultipart(content_type, body);
    case BodyForm::kJson:
      return ParseJsonFields(body);
    case BodyForm::kOther:
      break;
  }
  return nullptr;
}

std::unique_ptr<BodyFields> ParseUrlEncoded(std::string_view body) {
  std::optional<Arguments> arguments = Arguments::Parse(body);
  if (!arguments.has_value()) return nullptr;
  return std::make_unique<UrlEncodedFields>(*std::move(arguments));
}

std::unique_ptr<BodyFields> ParseJsonFields(std::string_view body) {
  Json object = Json::object();
  if (!body.empty() && !ParseJsonObject(body, object)) return nullptr;
  return std::make_unique<JsonFields>(std::move(object));
}

}  // namespace sluice::plugins
