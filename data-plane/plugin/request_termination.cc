#include <optional>

#include "common/schema/text.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/body_fields.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/plugin/json.h"
#include "nlohmann/json.hpp"
#include "sluice/plugins/v1/request_termination.pb.h"

namespace sluice::plugins {
namespace {

constexpr size_t kMaxEchoedBody = 1024 * 1024;
constexpr std::string_view kJsonType = "application/json; charset=utf-8";

std::string_view UsualMessage(int status) {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 500:
      return "An unexpected error occurred";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service unavailable";
    default:
      return {};
  }
}

bool HasNoBody(int status) { return status == 204 || status == 205 || status == 304; }

// One value as it is, several as a list.
void Collect(Json& object, const std::string& name, Json value) {
  if (object.contains(name)) {
    AppendToMember(object, name, std::move(value));
  } else {
    object[name] = std::move(value);
  }
}

Json RequestJson(const Exchange& exchange, const std::string& body) {
  Json headers = Json::object();
  for (const http::Field& field : exchange.request.fields) {
    Collect(headers, schema::Lower(field.name), std::string(field.value));
  }
  Json query = Json::object();
  if (std::optional<Arguments> arguments = Arguments::Parse(exchange.request.query)) {
    for (const Argument& argument : arguments->list()) {
      if (argument.has_value) {
        Collect(query, argument.name, argument.value);
      } else {
        Collect(query, argument.name, true);
      }
    }
  }
  Json captures = Json::object();
  for (const auto& [name, value] : exchange.match.captures) captures[name] = value;
  return {{"scheme", std::string(exchange.client.scheme())},
          {"host", exchange.host},
          {"port", exchange.client.local_port},
          {"headers", std::move(headers)},
          {"query", std::move(query)},
          {"raw_body", body},
          {"method", std::string(exchange.request.method)},
          {"path", exchange.path},
          {"uri_captures", std::move(captures)}};
}

class RequestTermination final : public Plugin {
 public:
  explicit RequestTermination(const v1::RequestTermination& config) : config_(config) {}

  unsigned moments() const override { return kOnRequest; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    if (config_.has_trigger() && !IsTriggered(exchange)) co_return std::nullopt;
    if (config_.echo()) {
      std::string body;
      if (exchange.request.framing.kind != http::Framing::Kind::kNone) {
        Exchange::Body read = co_await exchange.ReadRequestBody(kMaxEchoedBody);
        if (read.bytes == nullptr) co_return std::move(read.failure);
        body = *read.bytes;
      }
      co_return Echo(exchange, body);
    }
    Reply reply{.status = config_.status_code()};
    if (HasNoBody(config_.status_code())) co_return reply;
    if (config_.has_body()) {
      reply.body = config_.body();
      reply.content_type = config_.content_type().empty() ? std::string(kJsonType) : config_.content_type();
      co_return reply;
    }
    const std::string message = Text();
    if (message.empty()) co_return reply;
    co_return Reply::Json(config_.status_code(), DumpJson(Json{{"message", message}}));
  }

 private:
  std::string Text() const {
    return config_.has_message() ? config_.message() : std::string(UsualMessage(config_.status_code()));
  }

  bool IsTriggered(const Exchange& exchange) const {
    if (exchange.request.fields.Has(config_.trigger())) return true;
    std::optional<Arguments> query = Arguments::Parse(exchange.request.query);
    return query.has_value() && query->Find(config_.trigger()) != nullptr;
  }

  Reply Echo(const Exchange& exchange, const std::string& body) const {
    Json answer = Json::object();
    if (const std::string message = Text(); !message.empty()) answer["message"] = message;
    answer["request"] = RequestJson(exchange, body);
    if (const Route* route = exchange.match.route) answer["matched_route"] = {{"id", route->id}, {"name", route->name}};
    if (const Service* service = exchange.service) {
      answer["matched_service"] = {{"id", service->id},     {"name", service->name}, {"host", service->host},
                                   {"port", service->port}, {"path", service->path}};
    }
    return Reply::Json(config_.status_code(), DumpJson(answer));
  }

  const v1::RequestTermination config_;
};

}  // namespace

Made MakeRequestTermination(const Message& config, const PluginEnv&) {
  return std::make_unique<RequestTermination>(As<v1::RequestTermination>(config));
}

}  // namespace sluice::plugins
