#include <initializer_list>

#include "common/config/rules.h"
#include "common/schema/format.h"
#include "common/schema/json.h"
#include "common/schema/regex.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using schema::Cat;
using schema::Violations;

// Null where absent.
const Value* Find(const Struct& config, std::string_view name) {
  const auto found = config.fields().find(std::string(name));
  return found == config.fields().end() ? nullptr : &found->second;
}

std::string TextAt(const Struct& config, std::string_view name) {
  const Value* value = Find(config, name);
  return value == nullptr ? "" : value->string_value();
}

int CountAt(const Struct& config, std::string_view name) {
  const Value* value = Find(config, name);
  return value == nullptr ? 0 : value->list_value().values_size();
}

std::string HeaderNameError(std::string_view name) {
  return schema::FormatError(schema::v1::FORMAT_HEADER_NAME, name);
}

// Line ends in a header's value would begin another header.
bool IsHeaderValue(std::string_view text) {
  for (char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

void RateLimiting(const Struct& config, const std::string& path, Violations& violations) {
  constexpr std::string_view kPeriods[] = {"second", "minute", "hour", "day", "month", "year"};
  std::string_view shorter;
  for (std::string_view period : kPeriods) {
    const Value* limit = Find(config, period);
    if (limit == nullptr) continue;
    if (!shorter.empty() && limit->number_value() < Find(config, shorter)->number_value()) {
      violations.Add(Cat(path, ".", period),
                     Cat("The limit for ", period, "(", schema::ToJson(*limit), ") cannot be lower than the limit for ",
                         shorter, "(", schema::ToJson(*Find(config, shorter)), ")"));
    }
    shorter = period;
  }
  if (shorter.empty()) {
    violations.Add(path, "at least one of these fields must be non-empty: 'second', 'minute', 'hour', 'day', 'month', 'year'");
  }
  const std::string by = TextAt(config, "limit_by");
  if (by == "header" && TextAt(config, "header_name").empty()) {
    violations.Add(path + ".header_name", "required field missing: limit_by is 'header'");
  }
  if (by == "path" && TextAt(config, "path").empty()) {
    violations.Add(path + ".path", "required field missing: limit_by is 'path'");
  }
}

void RequestTermination(const Struct& config, const std::string& path, Violations& violations) {
  const bool body = Find(config, "body") != nullptr;
  const bool content_type = Find(config, "content_type") != nullptr;
  if (Find(config, "message") != nullptr && (body || content_type)) {
    violations.Add(path + ".message", "message cannot be used with content_type or body");
  }
  if (content_type && !body) violations.Add(path + ".content_type", "content_type requires a body");
  if (!IsHeaderValue(TextAt(config, "content_type"))) {
    violations.Add(path + ".content_type", "control characters are not allowed in a header");
  }
  const Value* echo = Find(config, "echo");
  if (echo != nullptr && echo->bool_value() && (body || content_type)) {
    violations.Add(path + ".echo", "echo cannot be used with content_type and body");
  }
}

void IpRestriction(const Struct& config, const std::string& path, Violations& violations) {
  if (CountAt(config, "allow") + CountAt(config, "deny") > 0) return;
  violations.Add(path, "at least one of these fields must be non-empty: 'allow', 'deny'");
}

void HttpLog(const Struct& config, const std::string& path, Violations& violations) {
  const auto endpoint = schema::ParseUrl(TextAt(config, "http_endpoint"));
  const Value* headers = Find(config, "headers");
  if (headers == nullptr) return;
  for (const auto& [name, value] : headers->struct_value().fields()) {
    const std::string at = Cat(path, ".headers.", schema::EscapeBytes(name.substr(0, 64)));
    const std::string lower = schema::Lower(name);
    if (const std::string wrong = HeaderNameError(name); !wrong.empty()) {
      violations.Add(at, wrong);
    } else if (lower == "host" || lower == "content-type" || lower == "content-length") {
      violations.Add(at, Cat("cannot contain '", name, "' header"));
    } else if (lower == "authorization" && endpoint && !endpoint->userinfo.empty()) {
      violations.Add(at, "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed");
    } else if (!IsHeaderValue(value.string_value())) {
      violations.Add(at, "control characters are not allowed in a header");
    }
  }
}

// "*", an origin, or a pattern.
void Cors(const Struct& config, const std::string& path, Violations& violations) {
  for (int i = 0; i < CountAt(config, "origins"); ++i) {
    const std::string& origin = Find(config, "origins")->list_value().values(i).string_value();
    if (origin == "*" || schema::ParseUrl(origin)) continue;
    const auto regex = schema::CompileRegex(origin);
    if (!regex.ok()) violations.Add(Cat(path, ".origins[", i, "]"), std::string(regex.status().message()));
  }
  for (const char* list : {"headers", "exposed_headers"}) {
    for (int i = 0; i < CountAt(config, list); ++i) {
      const std::string& name = Find(config, list)->list_value().values(i).string_value();
      const std::string wrong = HeaderNameError(name);
      if (!wrong.empty()) violations.Add(Cat(path, ".", list, "[", i, "]"), wrong);
    }
  }
}

// Lists of "name:value"; `names_only` for those of names.
void CheckPairs(const Struct& step, const std::string& path, std::string_view list, bool names_only, Violations& violations) {
  for (int i = 0; i < CountAt(step, list); ++i) {
    const std::string& entry = Find(step, list)->list_value().values(i).string_value();
    const std::string at = Cat(path, ".", list, "[", i, "]");
    const size_t colon = entry.find(':');
    if (!names_only && (colon == std::string::npos || colon == 0)) {
      violations.Add(at, "expected a name, a colon and a value, as in 'name:value'");
      continue;
    }
    if (list != "headers") continue;
    const std::string name = entry.substr(0, colon);
    if (name.find("$(") == std::string::npos && !HeaderNameError(name).empty()) {
      violations.Add(at, HeaderNameError(name));
    } else if (!IsHeaderValue(entry)) {
      violations.Add(at, "control characters are not allowed in a header");
    }
  }
}

void Transformer(const Struct& config, const std::string& path, Violations& violations) {
  for (const char* step : {"remove", "rename", "replace", "add", "append"}) {
    const Value* value = Find(config, step);
    if (value == nullptr) continue;
    for (const char* list : {"headers", "querystring", "body", "json"}) {
      CheckPairs(value->struct_value(), Cat(path, ".", step), list, std::string_view(step) == "remove", violations);
    }
  }
}

struct Rule {
  std::string_view plugin;
  void (*check)(const Struct& config, const std::string& path, Violations& violations);
};
constexpr Rule kRules[] = {
    {"cors", Cors},
    {"http-log", HttpLog},
    {"ip-restriction", IpRestriction},
    {"rate-limiting", RateLimiting},
    {"request-termination", RequestTermination},
    {"request-transformer", Transformer},
    {"response-transformer", Transformer},
};

}  // namespace

void CheckPluginConfig(std::string_view plugin, const Struct& config, const std::string& path, Violations& violations) {
  for (const Rule& rule : kRules) {
    if (rule.plugin == plugin) rule.check(config, path, violations);
  }
}

}  // namespace sluice::config
