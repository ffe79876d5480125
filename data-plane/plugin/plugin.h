#pragma once

// The plugin interface. A plugin is built once when a gateway's configuration is applied; then it is only read, by
// every worker at once. What belongs to one request lives in the Exchange; what outlives a configuration change, in
// GatewayState.
//
// Adding a plugin: one message in proto/sluice/plugins/v1, one file here, one line in builtin.cc, one test file.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data-plane/http/fields.h"
#include "data-plane/io/task.h"

namespace google::protobuf {
class Message;
}

namespace sluice {

class Exchange;
class GatewayState;
struct BodyPiece;
namespace http {
struct ResponseHead;
}

// An answer that the gateway or a plugin makes itself. With `message`, the body is rendered in the form the client
// accepts (JSON {"message","request_id"} by default); otherwise `body` goes out as it is.
struct Reply {
  int status = 500;
  std::optional<std::string> message;
  std::string body;
  std::string content_type;
  http::Fields fields;

  static Reply Message(int status, std::string message) {
    Reply reply{.status = status};
    reply.message = std::move(message);
    return reply;
  }
  // {"message": ...} without a request id: what Kong's plugins answer with kong.response.exit.
  static Reply Json(int status, std::string json) {
    return {.status = status,
            .message = {},
            .body = std::move(json),
            .content_type = "application/json; charset=utf-8",
            .fields = {}};
  }
};
using Verdict = std::optional<Reply>;  // nullopt: go on. A Reply ends the request.

// The moments a plugin takes part in; others cost nothing.
enum Moment : unsigned {
  kOnRequest = 1,
  kOnRequestBody = 2,
  kOnResponse = 4,
  kOnResponseBody = 8,
  kOnDone = 16,
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual unsigned moments() const = 0;  // of the enum Moment, constant
  // Head known, route chosen, no body read. May await (bodies, other services).
  virtual io::Task<Verdict> OnRequest(Exchange&) const { return Verdict(); }
  // Bytes about to go upstream, in order.
  virtual Verdict OnRequestBody(Exchange&, std::string_view) const { return std::nullopt; }
  // Head about to go to the client, made by the upstream or by the gateway.
  virtual void OnResponse(Exchange&, http::ResponseHead&) const {}
  // Bytes about to go to the client. After Exchange::BufferResponse in OnResponse: once, with the whole body.
  virtual void OnResponseBody(Exchange&, BodyPiece&) const {}
  // Exactly once, however it ended.
  virtual void OnDone(const Exchange&) const noexcept {}
};

// What a plugin is built with.
struct PluginEnv {
  std::string instance_id;  // of the plugin entity
  std::string service_id;   // its scope; "" where absent
  std::string route_id;
  std::string consumer_id;
  std::shared_ptr<GatewayState> state;  // of its gateway
};

struct PluginType {
  std::string_view name;  // "key-auth"
  // `config` is the message that carries the plugin's name in sluice.plugins.v1, valid and complete. Errors name the
  // field.
  absl::StatusOr<std::unique_ptr<const Plugin>> (*make)(const google::protobuf::Message& config, const PluginEnv&);
  // `make` does not look at the rest: gateways with equal configurations have one instance together.
  bool depends_on_config_alone = false;
};

// A plain list, handed over by main().
std::span<const PluginType> BuiltinPlugins();

}  // namespace sluice
