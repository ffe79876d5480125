#include "data-plane/plugin/serializer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "common/schema/text.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/json.h"
#include "data-plane/plugin/secret_names.h"
#include "nlohmann/json.hpp"

namespace sluice::plugins {
namespace {

constexpr std::string_view kRedacted = "REDACTED";

int64_t Milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}
bool Happened(MonotonicTime time) {
  return time != MonotonicTime{};
}

void Collect(Json& object, const std::string& name, Json value) {
  if (object.contains(name)) {
    AppendToMember(object, name, std::move(value));
  } else {
    object[name] = std::move(value);
  }
}

Json HeadersJson(const Exchange& exchange, const http::Fields& fields) {
  Json headers = Json::object();
  for (const http::Field& field : fields) {
    std::string value(IsSecretField(field.name, exchange.secret_names) ? kRedacted : field.value);
    Collect(headers, schema::Lower(field.name), std::move(value));
  }
  return headers;
}

// The query with the values of credentials replaced; nothing of it where it is too long to look through.
std::string CleanQuery(const Exchange& exchange, std::string_view text) {
  std::optional<Arguments> query = Arguments::Parse(text);
  if (!query.has_value()) return {};
  std::vector<std::string> secret;
  for (const Argument& argument : query->list()) {
    if (IsSecretParameter(argument.name, exchange.secret_names)) secret.push_back(argument.name);
  }
  bool changed = false;
  for (const std::string& name : secret) changed |= query->Replace(name, kRedacted);
  return changed ? query->ToString() : std::string(text);
}

Json QueryJson(const Exchange& exchange, std::string_view text) {
  Json out = Json::object();
  std::optional<Arguments> query = Arguments::Parse(text);
  if (!query.has_value()) return out;
  for (const Argument& argument : query->list()) {
    if (!argument.has_value) {
      Collect(out, argument.name, true);
    } else {
      Collect(out, argument.name,
              IsSecretParameter(argument.name, exchange.secret_names) ? std::string(kRedacted) : argument.value);
    }
  }
  return out;
}

std::string WithQuery(std::string_view path, bool has_query, const std::string& query) {
  return has_query ? schema::Cat(path, "?", query) : std::string(path);
}

Json RequestJson(const Exchange& exchange) {
  const std::string query = CleanQuery(exchange, exchange.request.query);
  const std::string uri = WithQuery(exchange.request.path, exchange.request.has_query, query);
  std::string url = schema::Cat(exchange.client.scheme(), "://", exchange.host, ":", exchange.client.local_port, uri);
  Json request = {{"id", exchange.request_id},
                  {"method", std::string(exchange.request.method)},
                  {"uri", uri},
                  {"url", url},
                  {"size", exchange.request_bytes},
                  {"querystring", QueryJson(exchange, exchange.request.query)},
                  {"headers", HeadersJson(exchange, exchange.request.fields)}};
  if (exchange.client.tls) request["tls"] = {{"client_verify", "NONE"}};
  return request;
}

Json ResponseJson(const Exchange& exchange) {
  Json response = {{"status", exchange.status}, {"size", exchange.response_bytes}};
  response["headers"] = Json::object();
  if (exchange.response != nullptr) response["headers"] = HeadersJson(exchange, exchange.response->fields);
  return response;
}

// request: all of it. proxy: from the request's way upstream to the head of the answer, -1 without one. receive: the
// rest of the answer. kong: what is left, the gateway's own.
Json LatenciesJson(const Exchange& exchange) {
  const int64_t request = Milliseconds(exchange.ended - exchange.started);
  int64_t proxy = -1;
  int64_t receive = 0;
  if (Happened(exchange.upstream_sent) && Happened(exchange.upstream_answered)) {
    proxy = Milliseconds(exchange.upstream_answered - exchange.upstream_sent);
    receive = Milliseconds(exchange.ended - exchange.upstream_answered);
  }
  const int64_t own = std::max<int64_t>(0, request - std::max<int64_t>(0, proxy) - receive);
  return {{"request", request}, {"kong", own}, {"proxy", proxy}, {"receive", receive}};
}

Json TriesJson(const Exchange& exchange) {
  Json tries = Json::array();
  for (const Try& attempt : exchange.tries) {
    Json one = {{"ip", attempt.ip}, {"port", attempt.port}, {"balancer_latency", Milliseconds(attempt.connect_time)}};
    if (!attempt.failure.empty()) {
      one["state"] = "failed";
      one["reason"] = std::string(attempt.failure);
    }
    tries.push_back(std::move(one));
  }
  return tries;
}

Json RouteJson(const Route& route) {
  Json protocols = Json::array();
  if (route.protocols.http) protocols.push_back("http");
  if (route.protocols.https) protocols.push_back("https");
  if (route.protocols.grpc) protocols.push_back("grpc");
  if (route.protocols.grpcs) protocols.push_back("grpcs");
  Json out = {{"id", route.id},
              {"name", route.name},
              {"protocols", std::move(protocols)},
              {"strip_path", route.strip_path},
              {"preserve_host", route.preserve_host}};
  if (route.service != nullptr) out["service"] = {{"id", route.service->id}};
  return out;
}

std::string_view ProtocolOf(const Service& service) {
  if (service.grpc) return service.tls ? "grpcs" : "grpc";
  return service.tls ? "https" : "http";
}

Json ServiceJson(const Service& service) {
  return {{"id", service.id},
          {"name", service.name},
          {"protocol", ProtocolOf(service)},
          {"host", service.host},
          {"port", service.port},
          {"path", service.path},
          {"retries", service.retries},
          {"connect_timeout", Milliseconds(service.connect_timeout)},
          {"write_timeout", Milliseconds(service.write_timeout)},
          {"read_timeout", Milliseconds(service.read_timeout)}};
}

}  // namespace

std::string SerializeExchange(const Exchange& exchange) {
  const auto started =
      std::chrono::duration_cast<std::chrono::milliseconds>(exchange.started_wall.time_since_epoch()).count();
  const std::string query = CleanQuery(exchange, exchange.upstream.query);
  Json log = {{"request", RequestJson(exchange)},
              {"response", ResponseJson(exchange)},
              {"latencies", LatenciesJson(exchange)},
              {"tries", TriesJson(exchange)},
              {"client_ip", exchange.client.ip},
              {"started_at", started},
              {"upstream_uri", WithQuery(exchange.upstream.path, exchange.upstream.has_query, query)},
              {"source", exchange.source == Source::kUpstream ? "upstream" : "kong"}};
  if (exchange.upstream_status != 0) log["upstream_status"] = exchange.upstream_status;
  if (exchange.match.route != nullptr) log["route"] = RouteJson(*exchange.match.route);
  if (exchange.service != nullptr) log["service"] = ServiceJson(*exchange.service);
  if (const Consumer* consumer = exchange.consumer) {
    log["consumer"] = {{"id", consumer->id}, {"username", consumer->username}, {"custom_id", consumer->custom_id}};
  }
  if (!exchange.credential_id.empty()) {
    log["authenticated_entity"] = {{"id", exchange.credential_id}};
    if (exchange.consumer != nullptr) log["authenticated_entity"]["consumer_id"] = exchange.consumer->id;
  }
  if (!exchange.correlation_id.empty()) log["correlation_id"] = exchange.correlation_id;
  const Gateway* gateway = exchange.gateway.get();
  if (gateway != nullptr) log["gateway"] = {{"id", gateway->id()}, {"name", gateway->name()}};
  return DumpJson(log);
}

}  // namespace sluice::plugins
