#pragma once

// What a request must be for a route to match, and how strong that match is: Kong's traditional_compatible rules. A
// route whose paths differ in kind or length is several rules, since each such path competes with its own strength.
// Immutable once built; callable from every thread.

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "data-plane/route/gateway.h"
#include "re2/re2.h"
#include "sluice/config/v1/entities.pb.h"

namespace sluice {

Protocols ProtocolsOf(const google::protobuf::RepeatedPtrField<std::string>& names);

// A host of a route: "a.test", "*.a.test", "a.*", each with or without a port.
struct HostPattern {
  enum class Kind : uint8_t { kPlain, kSuffix, kPrefix } kind = Kind::kPlain;
  std::string text;  // canonical; of wildcards without the *: ".a.test", "a."
  int port = -1;     // -1: any
  bool Matches(std::string_view host, int request_port) const;
};

// Every name must be there with any one of its values.
struct HeaderCondition {
  std::string name;
  std::vector<std::string> values;  // lower case
  std::unique_ptr<re2::RE2> regex;  // instead of values
  bool Matches(const http::Fields& fields) const;
};

// Compared as a whole: the greater is asked first.
struct RuleStrength {
  int fields = 0;  // how many of methods, hosts, headers, paths, snis are there
  bool plain_hosts = false;
  int headers = 0;
  bool regex_path = false;
  int64_t regex_priority = 0;
  size_t path_length = 0;
  auto operator<=>(const RuleStrength&) const = default;
};

class RouteRule {
 public:
  // The conditions that all rules of a route have in common.
  struct Conditions {
    std::vector<std::string> methods;
    std::vector<HostPattern> hosts;
    std::vector<HeaderCondition> headers;
    std::vector<std::string> snis;
    Protocols protocols;
  };

  // The rules of one route. INVALID_ARGUMENT where a regex does not compile.
  static absl::StatusOr<std::vector<RouteRule>> Make(const config::v1::Route& config, const Route* route);

  // True, and `match` is filled in, where the request fits.
  bool Matches(const RouteQuery& query, Match& match) const;

  const RuleStrength& strength() const { return strength_; }
  const std::vector<HostPattern>& hosts() const { return conditions_->hosts; }
  const std::vector<std::string>& plain_paths() const { return plain_paths_; }  // all of one length
  bool has_paths() const { return !plain_paths_.empty() || !regex_paths_.empty(); }
  int64_t created_at() const { return created_at_; }
  const Route* route() const { return route_; }

 private:
  bool MatchesConditions(const RouteQuery& query) const;
  bool MatchesPath(std::string_view path, Match& match) const;

  std::shared_ptr<const Conditions> conditions_;
  std::vector<std::string> plain_paths_;
  std::vector<std::unique_ptr<re2::RE2>> regex_paths_;
  RuleStrength strength_;
  int64_t created_at_ = 0;
  const Route* route_ = nullptr;
};

}  // namespace sluice
