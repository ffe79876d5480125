#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "common/config/limits.h"
#include "common/config/rules.h"
#include "common/schema/format.h"
#include "common/schema/sorted.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {
namespace {

using schema::Cat;

class UpstreamRules {
 public:
  UpstreamRules(Checkup& checkup, int index)
      : checkup_(checkup), index_(index), upstream_(checkup.config.upstreams(index)) {}

  void Name() {
    const std::string& name = upstream_.name();
    if (!schema::IsIpv4(name) && name.find(':') == std::string::npos && !name.starts_with('[')) return;
    Add("name", Cat("Invalid name ('", schema::EscapeBytes(name.substr(0, 128)), "'); no ip addresses allowed"));
  }

  void Hashing() {
    const std::string& on = upstream_.hash_on();
    const std::string& fallback = upstream_.hash_fallback();
    const bool falls_back = !fallback.empty() && fallback != "none";
    Needs("hash_on", on, "header", "hash_on_header", upstream_.has_hash_on_header());
    Needs("hash_on", on, "cookie", "hash_on_cookie", upstream_.has_hash_on_cookie());
    Needs("hash_on", on, "query_arg", "hash_on_query_arg", upstream_.has_hash_on_query_arg());
    Needs("hash_on", on, "uri_capture", "hash_on_uri_capture", upstream_.has_hash_on_uri_capture());
    Needs("hash_fallback", fallback, "header", "hash_fallback_header", upstream_.has_hash_fallback_header());
    Needs("hash_fallback", fallback, "cookie", "hash_on_cookie", upstream_.has_hash_on_cookie());
    Needs("hash_fallback", fallback, "query_arg", "hash_fallback_query_arg", upstream_.has_hash_fallback_query_arg());
    Needs("hash_fallback", fallback, "uri_capture", "hash_fallback_uri_capture",
          upstream_.has_hash_fallback_uri_capture());
    if (falls_back && (on.empty() || on == "none" || on == "cookie")) {
      Add("hash_fallback", on == "cookie" ? "expected none: with hash_on cookie a missing cookie is set, not replaced"
                                          : "expected none: without hash_on there is nothing to fall back from");
    }
    if (falls_back && fallback == on && (on == "consumer" || on == "ip" || on == "path")) {
      Add("hash_fallback", Cat("must differ from hash_on, which is ", on, " too"));
    }
    if (falls_back && fallback == on) {
      Differ("hash_fallback_header", schema::Lower(upstream_.hash_fallback_header()),
             schema::Lower(upstream_.hash_on_header()), on == "header");
      Differ("hash_fallback_query_arg", upstream_.hash_fallback_query_arg(), upstream_.hash_on_query_arg(),
             on == "query_arg");
      Differ("hash_fallback_uri_capture", upstream_.hash_fallback_uri_capture(), upstream_.hash_on_uri_capture(),
             on == "uri_capture");
    }
    if (upstream_.hash_on_cookie_path().find(';') != std::string::npos) {
      Add("hash_on_cookie_path", "a cookie's path cannot have a semicolon");
    }
  }

  void Checks() {
    const v1::ActiveChecks& active = upstream_.healthchecks().active();
    Interval("healthchecks.active.healthy.interval", active.healthy().interval());
    Interval("healthchecks.active.unhealthy.interval", active.unhealthy().interval());
    if (active.has_timeout() && (active.timeout() <= 0 || active.timeout() > kMaxCheckTimeoutSeconds)) {
      Add("healthchecks.active.timeout", Cat("expected more than 0 and at most ", Whole(kMaxCheckTimeoutSeconds)));
    }
    for (const auto* header : schema::Sorted(active.headers())) {
      const auto& [name, values] = *header;
      const std::string at = Cat("healthchecks.active.headers.", name);
      if (!schema::FormatError(schema::v1::FORMAT_HEADER_NAME, name).empty()) Add(at, "is not a header name");
      const std::string lower = schema::Lower(name);
      if (lower == "connection" || lower == "content-length" || lower == "transfer-encoding") {
        Add(at, "is decided by the check itself; leave it out");
      }
      if (lower == "host" && values.values_size() != 1) Add(at, "expected one value");
      for (const std::string& value : values.values()) {
        const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
        if (std::ranges::any_of(value, control)) Add(at, "has control characters");
        if (value.starts_with(' ') || value.ends_with(' ')) Add(at, "begins or ends with a blank");
      }
    }
  }

  bool Probes() const {
    const v1::ActiveChecks& active = upstream_.healthchecks().active();
    return active.healthy().interval() > 0 || active.unhealthy().interval() > 0;
  }

  void Add(std::string_view field, std::string message, std::string reason = "INVALID") {
    checkup_.violations.Add(checkup_.Path("upstream", index_, field), std::move(message), std::move(reason));
  }

 private:
  static int64_t Whole(double number) { return static_cast<int64_t>(number); }

  void Needs(std::string_view field, const std::string& is, std::string_view value, std::string_view other, bool has) {
    if (is == value && !has) Add(other, Cat("required where ", field, " is ", value));
  }

  void Differ(std::string_view field, const std::string& a, const std::string& b, bool matters) {
    if (matters && a == b) Add(field, "must differ from the one of hash_on");
  }

  void Interval(std::string_view field, double seconds) {
    if (seconds > 0 && seconds < kMinCheckSeconds) {
      Add(field,
          Cat("a target is checked at most once a second: write 0 for never, or at least ", Whole(kMinCheckSeconds)));
    }
  }

  Checkup& checkup_;
  const int index_;
  const v1::Upstream& upstream_;
};

}  // namespace

void CheckUpstreams(Checkup& checkup) {
  absl::flat_hash_map<std::string_view, size_t> targets;  // by upstream
  for (const v1::Target& target : checkup.config.targets()) ++targets[target.upstream()];
  size_t checked = 0;
  for (int i = 0; i < checkup.config.upstreams_size(); ++i) {
    UpstreamRules rules(checkup, i);
    rules.Name();
    rules.Hashing();
    rules.Checks();
    const auto found = targets.find(checkup.config.upstreams(i).id());
    const size_t count = found == targets.end() ? 0 : found->second;
    if (count > kMaxTargetsPerUpstream) {
      rules.Add("targets", Cat("has ", count, " targets, at most ", kMaxTargetsPerUpstream, " are allowed"),
                "TOO_MANY");
    }
    const size_t before = checked;
    if (rules.Probes()) checked += count;
    if (before <= kMaxCheckedTargets && checked > kMaxCheckedTargets) {
      rules.Add("healthchecks.active",
                Cat("nodes check at most ", kMaxCheckedTargets,
                    " targets of a gateway; set the intervals of some upstreams to 0 and rely on passive checks there"),
                "TOO_MANY");
    }
  }
}

}  // namespace sluice::config
