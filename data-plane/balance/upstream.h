#pragma once

// An upstream as a gateway's configuration has it: targets, algorithm, what is hashed, what makes a target unhealthy.
// Immutable parts of a compiled gateway, but for the targets' state, which outlives it and is shared by all workers.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"

namespace sluice {

namespace io {
struct TlsRules;
}
class TargetState;

struct Target {
  std::string host;  // name or address
  uint16_t port;
  uint32_t weight;    // 0: none
  uint64_t hash = 0;  // HashOf "host:port"
  std::shared_ptr<TargetState> state;
};

enum class Algorithm : uint8_t { kRoundRobin, kLeastConnections, kConsistentHashing, kLatency };

// What of a request decides its target.
struct HashInput {
  enum class Kind : uint8_t { kNone, kConsumer, kIp, kHeader, kCookie, kPath, kQueryArgument, kUriCapture };
  Kind kind = Kind::kNone;
  std::string name;  // of the header, cookie, argument or capture
};

enum class CheckType : uint8_t { kTcp, kHttp, kHttps, kGrpc, kGrpcs };

// After how many outcomes of a kind in a row a target changes; 0: never because of them.
struct HealthLimits {
  uint8_t successes = 0;
  uint8_t http_failures = 0;
  uint8_t tcp_failures = 0;
  uint8_t timeouts = 0;
};

// Which statuses count, and how far. Sorted.
struct HealthRule {
  HealthLimits limits;
  std::vector<uint16_t> healthy_statuses;
  std::vector<uint16_t> unhealthy_statuses;
};

struct ActiveCheck {
  CheckType type = CheckType::kHttp;
  std::string path;
  std::string server_name;  // of TLS; "": the target's host
  bool verify = true;
  std::shared_ptr<const io::TlsRules> tls_rules;  // with `verify`; null: the default ones
  std::vector<std::pair<std::string, std::string>> fields;
  Duration timeout{};
  size_t concurrency = 1;       // of an upstream
  double healthy_interval = 0;  // seconds; 0: healthy targets are not checked
  double unhealthy_interval = 0;
  bool on() const { return healthy_interval > 0 || unhealthy_interval > 0; }
};

struct HealthPolicy {
  HealthRule active_rule;
  HealthRule passive_rule;
  ActiveCheck active;
  bool passive_statuses = true;  // the statuses of answers count, not only whether there is one
  double threshold = 0;          // percent of the weight

  // Otherwise every target counts as healthy.
  bool on() const {
    const HealthLimits& passive = passive_rule.limits;
    return active.on() || passive.http_failures != 0 || passive.tcp_failures != 0 || passive.timeouts != 0;
  }
  // Checks bring an unhealthy target back; otherwise requests try it now and then.
  bool checks_recover() const { return active.unhealthy_interval > 0 && active_rule.limits.successes > 0; }
};

struct Upstream {
  std::string id;
  std::string name;
  std::string host_header;  // "" : the target's host
  std::vector<Target> targets;
  Algorithm algorithm = Algorithm::kRoundRobin;
  HashInput hash_on;
  HashInput hash_fallback;
  std::string hash_cookie_path;
  uint32_t slots = 10'000;
  HealthPolicy health;
};

}  // namespace sluice
