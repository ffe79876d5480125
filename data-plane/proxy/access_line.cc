#include "absl/time/time.h"
#include "common/observe/log.h"
#include "data-plane/plugin/secret_names.h"
#include "data-plane/proxy/access_log.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kUpstream:
      return "upstream";
    case Source::kGateway:
      return "gateway";
    case Source::kPlugin:
      return "plugin";
  }
  return "";
}

std::string_view ProtocolName(http::Protocol protocol) {
  switch (protocol) {
    case http::Protocol::kHttp10:
      return "HTTP/1.0";
    case http::Protocol::kHttp11:
      return "HTTP/1.1";
    case http::Protocol::kHttp2:
      return "HTTP/2";
  }
  return "";
}

void AppendText(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text::Append(out, ",\"", name, "\":");
  log::AppendJsonString(out, value);
}

template <typename T>
void AppendNumber(std::string& out, std::string_view name, T value) {
  text::Append(out, ",\"", name, "\":", value);
}

double Millis(Duration duration) {
  return static_cast<double>(duration.count() / 1000) / 1000.0;
}

void AppendLatencies(const Exchange& exchange, std::string& out) {
  const Duration total = exchange.ended - exchange.started;
  const bool answered = exchange.upstream_answered != MonotonicTime{};
  const Duration upstream = answered ? exchange.upstream_answered - exchange.upstream_sent : Duration::zero();
  text::Append(out, ",\"latencies\":{\"total\":", Millis(total), ",\"gateway\":", Millis(total - upstream));
  if (answered) text::Append(out, ",\"upstream\":", Millis(upstream));
  out += '}';
}

}  // namespace

void AppendRedactedQuery(std::string_view query, const std::vector<std::string>* secret_names, std::string& out) {
  const size_t start = out.size();
  std::string_view pair;
  while (text::NextPart(query, '&', pair)) {
    if (out.size() != start) out += '&';
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && IsSecretParameter(pair.substr(0, equals), secret_names)) {
      text::Append(out, pair.substr(0, equals), "=REDACTED");
    } else {
      out.append(pair);
    }
  }
}

void AppendAccessLine(const Exchange& exchange, std::string_view node, std::string& out) {
  const absl::Time started = absl::FromChrono(exchange.started_wall);
  text::Append(out, "{\"ts\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", started, absl::UTCTimeZone()), "\"");
  AppendText(out, "request_id", exchange.request_id);
  if (exchange.gateway != nullptr) {
    AppendText(out, "gateway", exchange.gateway->id());
    AppendNumber(out, "config_version", exchange.gateway->version());
  }
  if (exchange.match.route != nullptr) {
    const Route& route = *exchange.match.route;
    AppendText(out, "route", route.name.empty() ? route.id : route.name);
  }
  if (exchange.service != nullptr) {
    AppendText(out, "service", exchange.service->name.empty() ? exchange.service->id : exchange.service->name);
  }
  if (exchange.consumer != nullptr) {
    const Consumer& consumer = *exchange.consumer;
    AppendText(out, "consumer", consumer.username.empty() ? consumer.id : consumer.username);
  }
  AppendText(out, "correlation_id", exchange.correlation_id);
  AppendText(out, "client_ip", exchange.client.ip);
  AppendText(out, "method", exchange.request.method);
  AppendText(out, "host", exchange.host);
  AppendText(out, "path", exchange.path.empty() ? exchange.request.path : std::string_view(exchange.path));
  if (exchange.request.has_query) {
    std::string query;
    AppendRedactedQuery(exchange.request.query, exchange.secret_names, query);
    AppendText(out, "query", query);
  }
  AppendText(out, "protocol", ProtocolName(exchange.request.protocol));
  AppendNumber(out, "status", exchange.status);
  if (exchange.grpc_status >= 0) AppendNumber(out, "grpc_status", exchange.grpc_status);
  AppendText(out, "source", SourceName(exchange.source));
  AppendText(out, "reject_reason", exchange.reject_reason);
  AppendNumber(out, "request_bytes", exchange.request_bytes);
  AppendNumber(out, "response_bytes", exchange.response_bytes);
  AppendLatencies(exchange, out);
  if (!exchange.tries.empty()) {
    const Try& last = exchange.tries.back();
    text::Append(out, ",\"upstream\":{\"address\":\"", last.ip, ":", last.port, "\"");
    if (exchange.upstream_status != 0) AppendNumber(out, "status", exchange.upstream_status);
    AppendNumber(out, "tries", exchange.tries.size());
    out += '}';
  }
  text::Append(out, ",\"tls\":", exchange.client.tls ? "true" : "false");
  AppendText(out, "node", node);
  out += "}\n";
}

}  // namespace sluice::proxy
