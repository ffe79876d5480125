#include "common/config/plugin_rules.h"

#include <algorithm>
#include <optional>
#include <typeinfo>
#include <vector>

#include "common/config/template.h"
#include "common/schema/format.h"
#include "common/schema/regex.h"
#include "common/schema/sorted.h"
#include "common/schema/text.h"
#include "common/schema/url.h"
#include "sluice/plugins/v1/cors.pb.h"
#include "sluice/plugins/v1/http_log.pb.h"
#include "sluice/plugins/v1/ip_restriction.pb.h"
#include "sluice/plugins/v1/key_auth.pb.h"
#include "sluice/plugins/v1/rate_limiting.pb.h"
#include "sluice/plugins/v1/request_termination.pb.h"
#include "sluice/plugins/v1/request_transformer.pb.h"
#include "sluice/plugins/v1/response_transformer.pb.h"

namespace sluice::config {
namespace {

using google::protobuf::Message;
using schema::Cat;
using schema::Violations;
using Strings = google::protobuf::RepeatedPtrField<std::string>;

class Rules {
 public:
  Rules(const schema::Place& place, Violations& violations) : place_(place), out_(violations) {}

  void Check(const plugins::v1::RateLimiting& config) {
    struct Period {
      std::string_view name;
      std::optional<int64_t> limit;
    };
    auto limit = [](bool has, int64_t value) { return has ? std::optional<int64_t>(value) : std::nullopt; };
    const Period periods[] = {
        {"second", limit(config.has_second(), config.second())},
        {"minute", limit(config.has_minute(), config.minute())},
        {"hour", limit(config.has_hour(), config.hour())},
        {"day", limit(config.has_day(), config.day())},
        {"month", limit(config.has_month(), config.month())},
        {"year", limit(config.has_year(), config.year())}};
    const Period* shorter = nullptr;
    for (const Period& period : periods) {
      if (!period.limit.has_value()) continue;
      if (shorter != nullptr && *period.limit < *shorter->limit) {
        Add(period.name, Cat("the limit for ", period.name, "(", *period.limit, ") cannot be lower than the limit for ",
                             shorter->name, "(", *shorter->limit, ")"));
      }
      shorter = &period;
    }
    if (shorter == nullptr) Add("second", "at least one of second, minute, hour, day, month and year is needed");
    if (config.limit_by() == "header" && !config.has_header_name()) Add("header_name", "needed with limit_by header");
    if (config.limit_by() == "path" && !config.has_path()) Add("path", "needed with limit_by path");
    if (config.limit_by() == "consumer-group") {
      out_.Add(At("limit_by"),
               "There are no consumer groups yet; limit by consumer and give each consumer its own instance of the "
               "plugin.",
               "NOT_YET_SUPPORTED");
    }
  }

  void Check(const plugins::v1::IpRestriction& config) {
    if (config.allow_size() + config.deny_size() == 0) Add("allow", "at least one of allow and deny is needed");
  }

  void Check(const plugins::v1::RequestTermination& config) {
    if (config.has_message() && config.has_body()) Add("message", "cannot be used with body");
    if (config.has_message() && config.has_content_type()) Add("message", "cannot be used with content_type");
    if (config.has_content_type() && !config.has_body()) Add("content_type", "needs a body");
    FieldValue("content_type", config.content_type());
  }

  void Check(const plugins::v1::KeyAuth& config) { FieldValue("realm", config.realm()); }

  void Check(const plugins::v1::Cors& config) {
    for (int i = 0; i < config.origins_size(); ++i) {
      const std::string& origin = config.origins(i);
      if (origin == "*" || IsLiteralOrigin(origin)) continue;
      absl::StatusOr<std::unique_ptr<re2::RE2>> pattern = schema::CompileRegex(origin);
      if (!pattern.ok()) Add(Cat("origins[", i, "]"), std::string(pattern.status().message()));
    }
    Tokens("headers", config.headers());
    Tokens("exposed_headers", config.exposed_headers());
  }

  void Check(const plugins::v1::RequestTransformer& config) {
    Names("remove.headers", config.remove().headers());
    Pairs("rename.headers", config.rename().headers(), Kind::kHeaderNames);
    Pairs("rename.querystring", config.rename().querystring(), Kind::kNames);
    Pairs("rename.body", config.rename().body(), Kind::kNames);
    Templates("replace", config.replace().headers(), config.replace().querystring(), config.replace().body());
    Templates("add", config.add().headers(), config.add().querystring(), config.add().body());
    Templates("append", config.append().headers(), config.append().querystring(), config.append().body());
    if (config.replace().has_uri()) OneTemplate("replace.uri", config.replace().uri());
  }

  void Check(const plugins::v1::ResponseTransformer& config) {
    Names("remove.headers", config.remove().headers());
    Pairs("rename.headers", config.rename().headers(), Kind::kHeaderNames);
    Pairs("rename.json", config.rename().json(), Kind::kNames);
    Pairs("replace.headers", config.replace().headers(), Kind::kHeaderValue);
    Pairs("add.headers", config.add().headers(), Kind::kHeaderValue);
    Pairs("append.headers", config.append().headers(), Kind::kHeaderValue);
    Values("replace.json", config.replace().json(), config.replace().json_types());
    Values("add.json", config.add().json(), config.add().json_types());
    Values("append.json", config.append().json(), config.append().json_types());
  }

  void Check(const plugins::v1::HttpLog& config) {
    bool authorization = false;
    for (const auto* header : schema::Sorted(config.headers())) {
      const auto& [name, value] = *header;
      const std::string at = Cat("headers.", name);
      const std::string lower = schema::Lower(name);
      if (!IsToken(name)) Add(at, "is not a header name");
      if (lower == "host" || lower == "content-type" || lower == "content-length") {
        Add(at, "is decided by http_endpoint, content_type and the entry; leave it out");
      }
      if (lower == "authorization") authorization = true;
      FieldValue(at, value);
    }
    std::optional<schema::Url> url = schema::ParseUrl(config.http_endpoint());
    if (authorization && url.has_value() && !url->userinfo.empty()) {
      Add("headers.authorization", "cannot be used with a user and password in http_endpoint");
    }
  }

 private:
  enum class Kind { kNames, kHeaderNames, kHeaderValue, kHeaderTemplate, kTemplate };

  std::string At(std::string_view field) const {
    const std::string path = place_.Text();
    return Cat(path, path.empty() ? "" : ".", field);
  }
  void Add(std::string_view field, std::string message) { out_.Add(At(field), std::move(message)); }

  static bool IsToken(std::string_view name) {
    return schema::FormatError(schema::v1::FORMAT_HEADER_NAME, name).empty();
  }

  void FieldValue(std::string_view field, std::string_view value) {
    auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
    if (std::ranges::any_of(value, control)) Add(field, "has control characters");
  }

  void Tokens(std::string_view field, const Strings& names) {
    for (int i = 0; i < names.size(); ++i) {
      if (!IsToken(names[i])) Add(Cat(field, "[", i, "]"), "is not a header name");
    }
  }

  // "name", and "name:value" whose value decides nothing.
  void Names(std::string_view field, const Strings& names) {
    for (int i = 0; i < names.size(); ++i) {
      if (!IsToken(SplitPair(names[i]).first)) Add(Cat(field, "[", i, "]"), "is not a header name");
    }
  }

  void Pairs(std::string_view field, const Strings& pairs, Kind kind) {
    const bool header = kind == Kind::kHeaderNames || kind == Kind::kHeaderValue || kind == Kind::kHeaderTemplate;
    for (int i = 0; i < pairs.size(); ++i) {
      const std::string at = Cat(field, "[", i, "]");
      auto [name, value] = SplitPair(pairs[i]);
      if (name.empty() || value.empty()) {
        Add(at, "expected name:value");
      } else if (header && !IsToken(name)) {
        Add(at, "is not a header name");
      } else if (kind == Kind::kHeaderNames && !IsToken(value)) {
        Add(at, "the new name is not a header name");
      } else if (header) {
        FieldValue(at, value);
      }
      if (kind == Kind::kTemplate || kind == Kind::kHeaderTemplate) OneTemplate(at, value);
    }
  }

  void OneTemplate(std::string_view field, std::string_view text) {
    absl::StatusOr<Template> parsed = Template::Parse(text);
    if (!parsed.ok()) Add(field, std::string(parsed.status().message()));
  }

  void Templates(std::string_view step, const Strings& headers, const Strings& query, const Strings& body) {
    Pairs(Cat(step, ".headers"), headers, Kind::kHeaderTemplate);
    Pairs(Cat(step, ".querystring"), query, Kind::kTemplate);
    Pairs(Cat(step, ".body"), body, Kind::kTemplate);
  }

  void Values(std::string_view field, const Strings& pairs, const Strings& types) {
    Pairs(field, pairs, Kind::kNames);
    if (types.size() > pairs.size()) Add(Cat(field, "_types"), Cat("has more types than ", field, " has values"));
  }

  const schema::Place& place_;
  Violations& out_;
};

template <typename Config>
bool CheckAs(const Message& config, const schema::Place& place, Violations& violations) {
  if (typeid(config) != typeid(Config)) return false;
  Rules(place, violations).Check(static_cast<const Config&>(config));
  return true;
}

}  // namespace

void CheckPluginRules(const Message& config, const schema::Place& place, Violations& violations) {
  using namespace plugins::v1;  // NOLINT: one line a plugin
  CheckAs<RateLimiting>(config, place, violations) || CheckAs<IpRestriction>(config, place, violations) ||
      CheckAs<RequestTermination>(config, place, violations) || CheckAs<KeyAuth>(config, place, violations) ||
      CheckAs<Cors>(config, place, violations) || CheckAs<RequestTransformer>(config, place, violations) ||
      CheckAs<ResponseTransformer>(config, place, violations) || CheckAs<HttpLog>(config, place, violations);
}

size_t CountRegexes(const Message& config) {
  if (typeid(config) != typeid(plugins::v1::Cors)) return 0;
  const auto is_regex = [](const std::string& origin) { return origin != "*" && !IsLiteralOrigin(origin); };
  return static_cast<size_t>(std::ranges::count_if(static_cast<const plugins::v1::Cors&>(config).origins(), is_regex));
}

std::pair<std::string_view, std::string_view> SplitPair(std::string_view pair) {
  size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return {pair, {}};
  return {pair.substr(0, colon), pair.substr(colon + 1)};
}

bool IsLiteralOrigin(std::string_view origin) {
  return std::ranges::all_of(origin,
                             [](char c) { return schema::IsAlnum(c) || c == '.' || c == ':' || c == '/' || c == '-'; });
}

}  // namespace sluice::config
