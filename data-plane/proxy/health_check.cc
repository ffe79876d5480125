// One active check of one target: the same egress policy, resolver and limits as proxied requests, a connection of its
// own.
//
// Note, 2026-11-23. grpc is checked by a connection, grpcs by a TLS handshake. Kong asks no gRPC question either: its
// health checks know a bare connection for tcp and TLS for https alone, and send everything else a GET of HTTP/1 in
// clear text, which no gRPC server answers.

#include <algorithm>

#include "data-plane/proxy/dialer.h"
#include "data-plane/proxy/health_checker.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

using Outcome = TargetState::Outcome;

constexpr std::string_view kUserAgent = "sluice/health-check";

std::optional<Outcome> OutcomeOf(DialError error) {
  switch (error) {
    case DialError::kNone:
      return Outcome::kSuccess;
    case DialError::kTimeout:
      return Outcome::kTimeout;
    case DialError::kResolver:  // not the target's fault
    case DialError::kConnections:
    case DialError::kPending:
    case DialError::kClientGone:
      return std::nullopt;
    case DialError::kNoTarget:
    case DialError::kNoSuchName:
    case DialError::kDenied:
    case DialError::kRefused:
    case DialError::kTls:
      break;
  }
  return Outcome::kTcpFailure;
}

std::optional<Outcome> OutcomeOf(int status, const HealthRule& rule) {
  const auto listed = [&](const std::vector<uint16_t>& statuses) {
    return std::binary_search(statuses.begin(), statuses.end(), static_cast<uint16_t>(status));
  };
  if (listed(rule.healthy_statuses)) return Outcome::kSuccess;
  if (listed(rule.unhealthy_statuses)) return Outcome::kHttpFailure;
  return std::nullopt;
}

std::string HostOf(const Upstream& upstream, const Target& target, bool tls) {
  for (const auto& [name, value] : upstream.health.active.fields) {
    if (http::EqualsIgnoreCase(name, "host")) return value;
  }
  if (!upstream.host_header.empty()) return upstream.host_header;
  const std::string host = target.host.find(':') == std::string::npos ? target.host : text::Cat("[", target.host, "]");
  return target.port == (tls ? 443 : 80) ? host : text::Cat(host, ":", target.port);
}

// The status; or what went wrong, where there is none.
struct Asked {
  int status = 0;
  Outcome failure = Outcome::kTcpFailure;
};
io::Task<Asked> Ask(UpstreamStream& stream, const Upstream& upstream, std::string host, MonotonicTime deadline) {
  const ActiveCheck& active = upstream.health.active;
  http::Fields fields;
  bool has_agent = false;
  for (const auto& [name, value] : active.fields) {
    if (http::EqualsIgnoreCase(name, "host")) continue;
    has_agent = has_agent || http::EqualsIgnoreCase(name, "user-agent");
    fields.AppendView(name, value);
  }
  if (!has_agent) fields.AppendView("User-Agent", kUserAgent);
  const UpstreamStream::Outgoing out{.method = "GET",
                                     .scheme = active.type == CheckType::kHttps ? "https" : "http",
                                     .authority = host,
                                     .target = active.path,
                                     .fields = &fields,
                                     .framing = {},
                                     .body = {},
                                     .last = true};
  io::IoError error = co_await stream.SendHead(out, active.timeout);
  for (int interim = 0; error == io::IoError::kNone && interim <= kMaxInterimResponses; ++interim) {
    http::ResponseHead head;
    const UpstreamStream::HeadRead read = co_await stream.ReadHead(head, deadline);
    error = read.error;
    if (error != io::IoError::kNone) break;
    if (read.malformed || head.status == 101) co_return Asked{0, Outcome::kHttpFailure};
    if (head.status >= 200) co_return Asked{head.status};
  }
  co_return Asked{0, error == io::IoError::kTimeout ? Outcome::kTimeout : Outcome::kTcpFailure};
}

}  // namespace

io::Task<std::optional<Outcome>> CheckTarget(Worker& worker, std::shared_ptr<const Gateway> gateway,
                                             const Upstream& upstream, const Target& target) {
  const ActiveCheck& active = upstream.health.active;
  const bool tls = active.type == CheckType::kHttps || active.type == CheckType::kGrpcs;
  const MonotonicTime deadline = worker.loop().Now() + active.timeout;
  Tries tries;
  Dialer dialer(worker,
                {.gateway = gateway,
                 .host = target.host,
                 .port = target.port,
                 .tls = tls,
                 .tls_rules = active.tls_rules,
                 .upstream = nullptr,
                 .hash = {},
                 .connect_timeout = active.timeout,
                 .retries = kMaxTries,
                 .check = true,
                 .server_name = active.server_name},
                tries);
  Dialed dialed = co_await dialer.Next();
  std::optional<Outcome> outcome = OutcomeOf(dialed.error);
  const bool asks = active.type == CheckType::kHttp || active.type == CheckType::kHttps;
  if (dialed.stream == nullptr || !asks) co_return outcome;
  std::string host = HostOf(upstream, target, tls);
  const Asked asked = co_await Ask(*dialed.stream, upstream, std::move(host), deadline);
  outcome = asked.failure;
  if (asked.status != 0) outcome = OutcomeOf(asked.status, upstream.health.active_rule);
  co_return outcome;
}

}  // namespace sluice::proxy
