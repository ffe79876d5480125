#pragma once

// One request and its response (RFC 9110 section 3.4), as plugins and the access log see it. Belongs to one worker;
// lives from the head's arrival until OnDone has run. data-plane/proxy/exchange.cc fills it in, in this order.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "common/base/clock.h"
#include "data-plane/http/head.h"
#include "data-plane/io/task.h"
#include "data-plane/plugin/plugin.h"
#include "data-plane/plugin/worker.h"
#include "data-plane/route/gateway.h"

namespace sluice {

// The client's side of the connection.
struct Client {
  std::string ip;  // canonical text; of the farthest that is known, where trusted proxies stand in between
  uint16_t port = 0;
  uint16_t local_port = 0;
  bool tls = false;
  std::string sni;
  uint64_t connection = 0;             // serial of the connection on this worker
  uint64_t requests_on_connection = 0; // including this one
  bool peer_trusted = false;           // whoever opened the connection may say for whom
  bool secure = false;                 // no TLS here, but a trusted proxy says that its client came over TLS
  std::string forwarded_for;           // what the service learns, where more than `ip`: the farthest first
  std::string_view scheme() const { return tls ? "https" : "http"; }
  bool https() const { return tls || secure; }  // as far as the client itself is concerned
};

// What will be asked of the upstream. Starts as the client's request without connection-specific and identity fields,
// with strip_path applied; plugins change it.
struct UpstreamRequest {
  std::string method;
  std::string path;   // origin-form, without query
  std::string query;  // without '?'
  bool has_query = false;
  std::string host;  // Host field; "" : decided by the route and the target
  http::Fields fields;
};

struct BodyPiece {
  std::string_view bytes;
  bool last = false;
  std::string replacement;  // sent instead where Replace was called
  bool replaced = false;
  void Replace(std::string with) {
    replacement = std::move(with);
    bytes = replacement;
    replaced = true;
  }
};

struct Try {
  std::string ip;
  uint16_t port = 0;
  Duration connect_time{};
  std::string_view failure;  // "" : it answered
};

using Tries = absl::InlinedVector<Try, 1>;

enum class Source : uint8_t { kUpstream, kGateway, kPlugin };

class Exchange {
 public:
  virtual ~Exchange() = default;

  Client client;
  http::RequestHead request;  // as the client sent it; never changed
  std::string host;           // canonical
  std::string path;           // normalised
  bool grpc = false;          // a call of gRPC by HTTP/2: the gateway's own answers are gRPC's too
  std::string request_id;     // 32 hexadecimal digits
  std::shared_ptr<const Gateway> gateway;
  Match match;  // match.route: null where none matched
  const Service* service = nullptr;
  const Consumer* consumer = nullptr;
  std::string credential_id;  // "" : not authenticated
  std::string correlation_id; // what correlation-id chose, for logs
  UpstreamRequest upstream;

  // The response, as it goes to the client.
  int status = 0;  // 0: none was sent. Of a gateway's own answer to gRPC the one that its grpc-status stands for
  Source source = Source::kGateway;
  // "rate-limit", "payload", "route", "framing", "upstream-timeout", ...; "" : not rejected
  std::string_view reject_reason;
  int upstream_status = 0;         // 0: none
  int grpc_status = -1;            // of a gRPC call, as the client was told; -1: none was
  Tries tries;
  uint64_t request_bytes = 0;   // head and body, as received
  uint64_t response_bytes = 0;  // as sent
  uint64_t request_body_bytes = 0;  // as received; in OnRequestBody including the piece at hand
  uint64_t response_body_bytes = 0;
  WallTime started_wall;
  MonotonicTime started;             // head complete
  MonotonicTime upstream_sent;       // first byte went upstream; zero: never
  MonotonicTime upstream_answered;   // response head complete; zero: never
  MonotonicTime ended;
  const http::ResponseHead* response = nullptr;  // as sent; null where none was

  // Names of the headers and query parameters that hold the client's credentials: logs show their values as REDACTED.
  // Points into the plugin that set it. Null: none beyond Authorization and Proxy-Authorization.
  const std::vector<std::string>* secret_names = nullptr;
  // What a plugin learnt in OnRequest and tells the client in OnResponse, under its own address. Plugins' own business.
  struct Note {
    const Plugin* plugin;
    std::string_view name;  // of a field; a literal
    std::string value;
  };
  std::vector<Note> notes;

  virtual PluginWorker& worker() const = 0;

  // The whole request body, read now and kept; at most `max` bytes and never more than the plan's. It is sent upstream
  // with a length afterwards. The pointer is null with a Reply (413, 400, 408) that the plugin must return.
  struct Body {
    std::string* bytes = nullptr;
    Verdict failure;
  };
  virtual io::Task<Body> ReadRequestBody(size_t max) = 0;
  // Replaces what ReadRequestBody read.
  virtual void SetRequestBody(std::string body) = 0;
  // From OnResponse: the body is collected and OnResponseBody runs once on the whole. Past kMaxBufferedResponse the
  // client gets 502: passing on what should have been rewritten could leak what it was to hide.
  static constexpr size_t kMaxBufferedResponse = 10 * 1024 * 1024;
  void BufferResponse() { buffer_response = true; }
  bool buffer_response = false;
};

}  // namespace sluice
