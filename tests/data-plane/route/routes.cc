#include "tests/data-plane/route/routes.h"

#include <google/protobuf/text_format.h>

#include "re2/re2.h"

namespace sluice {

Routes::Routes(std::initializer_list<std::string_view> texts) {
  for (std::string_view text : texts) {
    REQUIRE(google::protobuf::TextFormat::ParseFromString(std::string(text), &configs_.emplace_back()));
  }
  Build();
}

Routes::Routes(std::vector<config::v1::Route> configs) : configs_(std::move(configs)) {
  Build();
}

void Routes::Build() {
  std::vector<RouteRule> rules;
  for (config::v1::Route& config : configs_) {
    if (config.protocols().empty()) {
      config.add_protocols("http");
      config.add_protocols("https");
    }
    routes_.push_back(std::make_unique<Route>());
    routes_.back()->id = config.id();
    auto made = RouteRule::Make(config, routes_.back().get());
    REQUIRE(made.ok());
    std::move(made->begin(), made->end(), std::back_inserter(rules));
  }
  router_ = std::make_unique<Router>(std::move(rules));
}

Match Routes::Find(const Ask& ask) const {
  http::Fields fields;
  for (const auto& [name, value] : ask.fields) fields.Add(name, value);
  return router_->Find({.method = ask.method,
                        .host = ask.host,
                        .port = ask.port,
                        .path = ask.path,
                        .https = ask.https,
                        .grpc = ask.grpc,
                        .sni = ask.sni,
                        .fields = &fields});
}

std::string Routes::Of(const Ask& ask) const {
  const Match match = Find(ask);
  return match.route != nullptr ? match.route->id : "";
}

namespace {

bool HostFits(const std::string& pattern, const std::string& host, int port) {
  std::string name = pattern;
  const size_t colon = name.find(':');
  if (colon != std::string::npos) {
    if (std::stoi(name.substr(colon + 1)) != port) return false;
    name.resize(colon);
  }
  if (name.starts_with("*")) return host.size() > name.size() - 1 && host.ends_with(name.substr(1));
  if (name.ends_with("*")) return host.size() > name.size() - 1 && host.starts_with(name.substr(0, name.size() - 1));
  return host == name;
}

bool HeadersFit(const config::v1::Route& route, const Ask& ask) {
  for (const auto& [name, list] : route.headers()) {
    bool any = false;
    for (const auto& [field, value] : ask.fields) {
      for (const std::string& wanted : list.values()) any = any || (field == name && value == wanted);
    }
    if (!any) return false;
  }
  return true;
}

template <typename List, typename Fits>
bool AnyOrEmpty(const List& list, Fits fits) {
  if (list.empty()) return true;
  for (const auto& item : list) {
    if (fits(item)) return true;
  }
  return false;
}

bool AllButPathFits(const config::v1::Route& route, const Ask& ask) {
  const auto method = [&](const std::string& m) { return m == ask.method; };
  const auto host = [&](const std::string& h) { return HostFits(h, ask.host, ask.port); };
  const auto sni = [&](const std::string& s) { return !ask.https || s == ask.sni; };
  return AnyOrEmpty(route.methods(), method) && AnyOrEmpty(route.hosts(), host) && AnyOrEmpty(route.snis(), sni) &&
         HeadersFit(route, ask);
}

// Bigger wins, field by field.
using Weight = std::tuple<int, bool, int, bool, int, size_t, int64_t, std::string>;

Weight WeightOf(const config::v1::Route& route, const std::string& path) {
  const int fields = (route.methods_size() > 0) + (route.hosts_size() > 0) + (route.headers_size() > 0) +
                     (route.paths_size() > 0) + (route.snis_size() > 0);
  bool plain = route.hosts_size() > 0;
  for (const std::string& host : route.hosts()) plain = plain && host.find('*') == std::string::npos;
  const bool regex = path.starts_with("~");
  std::string id = route.id();  // a smaller id wins
  for (char& c : id) c = static_cast<char>(127 - c);
  return {fields,
          plain,
          route.headers_size(),
          regex,
          regex ? route.regex_priority() : 0,
          regex ? 0 : path.size(),
          -route.created_at(),
          id};
}

bool PathFits(const std::string& pattern, const std::string& path) {
  if (!pattern.starts_with("~")) return path.starts_with(pattern);
  return RE2::PartialMatch(path, "^(?:" + pattern.substr(1) + ")");
}

}  // namespace

std::string ReferenceRoute(const std::vector<config::v1::Route>& routes, const Ask& ask) {
  std::string best;
  Weight best_weight{-1, false, 0, false, 0, 0, 0, ""};
  for (const config::v1::Route& route : routes) {
    if (!AllButPathFits(route, ask)) continue;
    std::vector<std::string> paths(route.paths().begin(), route.paths().end());
    if (paths.empty()) paths.push_back("");
    for (const std::string& path : paths) {
      if (!PathFits(path, ask.path) || WeightOf(route, path) <= best_weight) continue;
      best_weight = WeightOf(route, path);
      best = route.id();
    }
  }
  return best;
}

}  // namespace sluice
