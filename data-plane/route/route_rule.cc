#include "data-plane/route/route_rule.h"

#include <algorithm>
#include <map>

#include "common/schema/regex.h"
#include "common/schema/text.h"
#include "common/schema/url.h"
#include "data-plane/http/fields.h"
#include "data-plane/http/target.h"

namespace sluice {
namespace {

constexpr int kMaxHeaderStrength = 255;

std::string CanonicalName(std::string_view name) {
  if (name.ends_with('.') && name.size() > 1) name.remove_suffix(1);
  return schema::Lower(name);
}

HostPattern ParseHostPattern(std::string_view text) {
  HostPattern pattern;
  const size_t star = text.find('*');
  if (star == std::string_view::npos) {
    const auto parsed = schema::ParseHostPort(text);
    std::string host = parsed ? parsed->host : std::string(text);
    if (parsed && parsed->port) pattern.port = *parsed->port;
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = schema::Cat("[", host, "]");
    // As the requests' hosts are, however the address was written.
    int no_port;
    if (!http::CanonicalHost(host, pattern.text, no_port)) pattern.text = CanonicalName(host);
    return pattern;
  }
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    pattern.port = 0;
    for (char digit : text.substr(colon + 1)) pattern.port = pattern.port * 10 + (digit - '0');
    text = text.substr(0, colon);
  }
  pattern.kind = star == 0 ? HostPattern::Kind::kSuffix : HostPattern::Kind::kPrefix;
  pattern.text = star == 0 ? CanonicalName(text.substr(1)) : schema::Lower(text.substr(0, star));
  return pattern;
}

// Values compare without case, hence a pattern does too.
absl::StatusOr<std::unique_ptr<re2::RE2>> CompileHeaderRegex(std::string_view pattern) {
  auto strict = schema::CompileRegex(pattern);
  if (!strict.ok()) return strict.status();
  re2::RE2::Options options;
  options.Copy((*strict)->options());
  options.set_case_sensitive(false);
  options.set_max_mem(2 * schema::kMaxRegexMemory);  // whatever was accepted with one case is accepted with both
  auto regex = std::make_unique<re2::RE2>((*strict)->pattern(), options);
  return regex->ok() ? std::move(regex) : std::move(*strict);
}

absl::StatusOr<HeaderCondition> MakeHeader(const std::string& name, const config::v1::StringList& list) {
  HeaderCondition header{.name = name};
  if (list.values_size() == 1 && list.values(0).starts_with("~*")) {
    auto regex = CompileHeaderRegex(std::string_view(list.values(0)).substr(2));
    if (!regex.ok()) return regex.status();
    header.regex = *std::move(regex);
    return header;
  }
  for (const std::string& value : list.values()) header.values.push_back(schema::Lower(value));
  return header;
}

absl::StatusOr<std::shared_ptr<const RouteRule::Conditions>> MakeConditions(const config::v1::Route& config) {
  auto conditions = std::make_shared<RouteRule::Conditions>();
  conditions->methods.assign(config.methods().begin(), config.methods().end());
  for (const std::string& host : config.hosts()) conditions->hosts.push_back(ParseHostPattern(host));
  for (const std::string& sni : config.snis()) conditions->snis.push_back(CanonicalName(sni));
  for (const auto& [name, list] : config.headers()) {
    auto header = MakeHeader(name, list);
    if (!header.ok()) return header.status();
    conditions->headers.push_back(*std::move(header));
  }
  conditions->protocols = ProtocolsOf(config.protocols());
  return conditions;
}

RuleStrength CommonStrength(const config::v1::Route& config, const RouteRule::Conditions& conditions) {
  RuleStrength strength;
  strength.fields = (config.methods_size() > 0) + (config.hosts_size() > 0) + (config.headers_size() > 0) +
                    (config.paths_size() > 0) + (config.snis_size() > 0);
  strength.plain_hosts = !conditions.hosts.empty() &&
                         std::all_of(conditions.hosts.begin(), conditions.hosts.end(),
                                     [](const HostPattern& host) { return host.kind == HostPattern::Kind::kPlain; });
  strength.headers = std::min(config.headers_size(), kMaxHeaderStrength);
  return strength;
}

template <typename Text>
bool Contains(const std::vector<std::string>& list, const Text& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

void CopyCaptures(const re2::RE2& regex, const std::vector<re2::StringPiece>& groups, Match& match) {
  const auto& names = regex.CapturingGroupNames();
  for (size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].data() == nullptr) continue;  // took no part in the match
    match.captures.emplace_back(std::to_string(i), std::string(groups[i].data(), groups[i].size()));
    const auto name = names.find(static_cast<int>(i));
    if (name != names.end()) match.captures.emplace_back(name->second, match.captures.back().second);
  }
}

}  // namespace

Protocols ProtocolsOf(const google::protobuf::RepeatedPtrField<std::string>& names) {
  const auto has = [&names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return {.http = has("http"), .https = has("https"), .grpc = has("grpc"), .grpcs = has("grpcs")};
}

bool HostPattern::Matches(std::string_view host, int request_port) const {
  if (port >= 0 && port != request_port) return false;
  switch (kind) {
    case Kind::kPlain:
      return host == text;
    case Kind::kSuffix:
      return host.size() > text.size() && host.ends_with(text);
    case Kind::kPrefix:
      return host.size() > text.size() && host.starts_with(text);
  }
  return false;
}

bool HeaderCondition::Matches(const http::Fields& fields) const {
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, name)) continue;
    if (regex != nullptr) {
      if (re2::RE2::PartialMatch(re2::StringPiece(field.value.data(), field.value.size()), *regex)) return true;
    } else if (Contains(values, schema::Lower(field.value))) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::vector<RouteRule>> RouteRule::Make(const config::v1::Route& config, const Route* route) {
  auto conditions = MakeConditions(config);
  if (!conditions.ok()) return conditions.status();
  RouteRule base;
  base.conditions_ = *conditions;
  base.strength_ = CommonStrength(config, **conditions);
  base.created_at_ = config.created_at();
  base.route_ = route;
  const auto copy = [&base] {
    RouteRule rule;
    rule.conditions_ = base.conditions_;
    rule.strength_ = base.strength_;
    rule.created_at_ = base.created_at_;
    rule.route_ = base.route_;
    return rule;
  };
  RouteRule regexes = copy();
  std::map<size_t, RouteRule> by_length;
  for (const std::string& path : config.paths()) {
    if (path.starts_with('~')) {
      auto regex = schema::CompileRegex(std::string_view(path).substr(1));
      if (!regex.ok()) return regex.status();
      regexes.regex_paths_.push_back(*std::move(regex));
    } else {
      RouteRule& rule = by_length.try_emplace(path.size(), copy()).first->second;
      rule.strength_.path_length = path.size();
      rule.plain_paths_.push_back(path);
    }
  }
  std::vector<RouteRule> rules;
  if (!regexes.regex_paths_.empty()) {
    regexes.strength_.regex_path = true;
    regexes.strength_.regex_priority = config.regex_priority();
    rules.push_back(std::move(regexes));
  }
  for (auto& [length, rule] : by_length) rules.push_back(std::move(rule));
  if (rules.empty()) rules.push_back(std::move(base));
  return rules;
}

bool RouteRule::MatchesConditions(const RouteQuery& query) const {
  const Conditions& c = *conditions_;
  // A route for TLS alone also takes plain requests: they are told to come back with it.
  const bool fits = c.protocols.For(query.https, query.grpc) || (!query.https && c.protocols.For(true, query.grpc));
  if (!fits) return false;
  if (!c.methods.empty() && !Contains(c.methods, query.method)) return false;
  if (!c.hosts.empty() && std::none_of(c.hosts.begin(), c.hosts.end(),
                                       [&](const HostPattern& host) { return host.Matches(query.host, query.port); })) {
    return false;
  }
  if (!c.snis.empty() && query.https && !Contains(c.snis, query.sni)) return false;
  return std::all_of(c.headers.begin(), c.headers.end(), [&](const HeaderCondition& header) {
    return query.fields != nullptr && header.Matches(*query.fields);
  });
}

bool RouteRule::MatchesPath(std::string_view path, Match& match) const {
  if (!has_paths()) return true;
  for (const std::string& prefix : plain_paths_) {
    if (!path.starts_with(prefix)) continue;
    match.matched_bytes = prefix.size();
    return true;
  }
  for (const auto& regex : regex_paths_) {
    std::vector<re2::StringPiece> groups(static_cast<size_t>(regex->NumberOfCapturingGroups()) + 1);
    if (!regex->Match(re2::StringPiece(path.data(), path.size()), 0, path.size(), re2::RE2::ANCHOR_START, groups.data(),
                      static_cast<int>(groups.size()))) {
      continue;
    }
    match.matched_bytes = groups[0].size();
    CopyCaptures(*regex, groups, match);
    return true;
  }
  return false;
}

bool RouteRule::Matches(const RouteQuery& query, Match& match) const {
  if (!MatchesConditions(query) || !MatchesPath(query.path, match)) return false;
  match.route = route_;
  return true;
}

}  // namespace sluice
