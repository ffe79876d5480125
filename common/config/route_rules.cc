#include <algorithm>

#include "common/config/limits.h"
#include "common/config/rules.h"
#include "common/schema/format.h"
#include "common/schema/options.h"
#include "common/schema/regex.h"
#include "common/schema/sorted.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using schema::Cat;

bool Has(const v1::Route& route, std::string_view protocol) {
  return std::find(route.protocols().begin(), route.protocols().end(), protocol) != route.protocols().end();
}

bool IsServed(std::string_view protocol) {
  return protocol == "http" || protocol == "https" || protocol == "grpc" || protocol == "grpcs";
}

bool IsGrpc(std::string_view protocol) {
  return protocol == "grpc" || protocol == "grpcs";
}

// Kong's groups: the protocols of a route are all of one.
std::string_view GroupOf(std::string_view protocol) {
  if (IsGrpc(protocol)) return "grpc";
  if (IsServed(protocol)) return "http";
  if (protocol == "tls_passthrough") return "tls_passthrough";
  return "stream";
}

// False where the other rules would only repeat that the protocol is not served.
bool CheckProtocols(Checkup& checkup, int index) {
  const v1::Route& route = checkup.config.routes(index);
  bool served = true;
  for (int i = 0; i < route.protocols_size(); ++i) {
    const std::string& protocol = route.protocols(i);
    if (GroupOf(protocol) != GroupOf(route.protocols(0))) {
      checkup.violations.Add(
          checkup.Path("route", index, "protocols"),
          "('http', 'https'), ('tcp', 'tls', 'udp'), ('tls_passthrough'), ('grpc', 'grpcs') cannot be mixed");
    }
    if (IsServed(protocol)) continue;
    served = false;
    checkup.violations.Add(checkup.Path("route", index, Cat("protocols[", i, "]")),
                           Cat("protocol '", schema::EscapeBytes(protocol.substr(0, 32)),
                               "' is not supported yet; these are: http, https, grpc, grpcs"),
                           "NOT_YET_SUPPORTED");
  }
  return served;
}

// Every call of gRPC is a POST whose path names the method: neither can be chosen by a gateway.
void CheckGrpcMatchers(Checkup& checkup, int index) {
  const v1::Route& route = checkup.config.routes(index);
  if (route.hosts_size() + route.headers_size() + route.paths_size() == 0) {
    checkup.violations.Add(checkup.at.Of("route", index),
                           "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'");
  }
  if (route.methods_size() > 0) {
    checkup.violations.Add(checkup.Path("route", index, "methods"),
                           "cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'");
  }
  if (route.strip_path()) {
    checkup.violations.Add(checkup.Path("route", index, "strip_path"),
                           "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'");
  }
  if (route.snis_size() > 0 && Has(route, "grpc")) {
    checkup.violations.Add(checkup.Path("route", index, "snis"), "'snis' can only be set when 'protocols' is 'grpcs'");
  }
}

void CheckMatchers(Checkup& checkup, int index) {
  const v1::Route& route = checkup.config.routes(index);
  const bool any = route.methods_size() + route.hosts_size() + route.headers_size() + route.paths_size() > 0;
  if (Has(route, "https")) {
    if (!any && route.snis_size() == 0) {
      checkup.violations.Add(
          checkup.at.Of("route", index),
          "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'");
    }
  } else if (!any) {
    checkup.violations.Add(checkup.at.Of("route", index),
                           "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'");
  }
  if (route.snis_size() > 0 && Has(route, "http")) {
    checkup.violations.Add(checkup.Path("route", index, "snis"), "'snis' can only be set when 'protocols' is 'https'");
  }
}

// A header whose only value begins with ~* is a regex.
int CheckHeaders(Checkup& checkup, int index) {
  int regexes = 0;
  for (const auto* header : schema::Sorted(checkup.config.routes(index).headers())) {
    const auto& [name, list] = *header;
    const std::string at = schema::Join(checkup.Path("route", index, "headers"), name);
    const std::string wrong = schema::FormatError(schema::v1::FORMAT_HEADER_NAME, name);
    if (!wrong.empty()) {
      checkup.violations.Add(at, wrong);
    } else if (schema::Lower(name) == "host") {
      checkup.violations.Add(at, "cannot contain 'host' header, which must be specified in the 'hosts' attribute");
    } else if (list.values().empty()) {
      checkup.violations.Add(at, "length must be at least 1");
    } else if (list.values_size() == 1 && list.values(0).starts_with("~*")) {
      ++regexes;
      const auto regex = schema::CompileRegex(std::string_view(list.values(0)).substr(2));
      if (!regex.ok()) checkup.violations.Add(at + "[0]", std::string(regex.status().message()));
    }
  }
  return regexes;
}

}  // namespace

void AddRegexes(Checkup& checkup, std::string_view field, size_t regexes) {
  if (regexes == 0) return;
  checkup.regexes += regexes;
  if (checkup.regexes <= kMaxRegexes) return;
  checkup.violations.Add(
      std::string(field),
      Cat("there are ", checkup.regexes, " regexes, at most ", kMaxRegexes, " are allowed in a gateway"), "TOO_MANY");
}

void CheckRoutes(Checkup& checkup) {
  size_t regexes = 0;
  for (int i = 0; i < checkup.config.routes_size(); ++i) {
    const v1::Route& route = checkup.config.routes(i);
    const bool served = CheckProtocols(checkup, i);
    const bool grpc = std::any_of(route.protocols().begin(), route.protocols().end(), IsGrpc);
    if (served && grpc) CheckGrpcMatchers(checkup, i);
    if (served && !grpc) CheckMatchers(checkup, i);
    const auto regex_paths = std::count_if(route.paths().begin(), route.paths().end(),
                                           [](const std::string& path) { return path.starts_with('~'); });
    regexes += static_cast<size_t>(regex_paths + CheckHeaders(checkup, i));
  }
  AddRegexes(checkup, "routes", regexes);
}

}  // namespace sluice::config
