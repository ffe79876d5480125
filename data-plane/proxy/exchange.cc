#include "data-plane/proxy/exchange.h"

#include "data-plane/http/target.h"
#include "data-plane/limit/payload.h"
#include "data-plane/limit/request_window.h"
#include "data-plane/proxy/client_address.h"
#include "data-plane/proxy/forward_fields.h"
#include "data-plane/proxy/grpc.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/upstream_path.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using Kind = http::Framing::Kind;

ProxyExchange::ProxyExchange(Worker& worker, Downstream& downstream, Admission& admission)
    : worker_(worker), downstream_(downstream), admission_(admission) {
  started = worker.clock().Now();
  started_wall = worker.clock().WallNow();
  request_id = worker.NewRequestId();
  ++worker_.stats().requests_in_flight;
  worker_.exchanges().Add(*this);
}

ProxyExchange::~ProxyExchange() {
  --worker_.stats().requests_in_flight;
  worker_.exchanges().Remove(*this);
}

PluginWorker& ProxyExchange::worker() const {
  return worker_;
}

io::Task<void> ProxyExchange::Run() {
  Verdict refusal = co_await Handle();
  if (refusal.has_value()) co_await Give(std::move(*refusal));
  Finish();
  if (forward_.has_value() && forward_->pumping()) co_await forward_->Join();
}

io::Task<void> ProxyExchange::Refuse(int refusal, std::string_view reason) {
  reject_reason = reason;
  Reply reply = Reply::Message(refusal, std::string(StatusMessage(refusal)));
  co_await Give(std::move(reply));
  Finish();
}

io::Task<Verdict> ProxyExchange::Handle() {
  grpc = request.protocol == http::Protocol::kHttp2 && IsGrpc(request.fields.Get("content-type"));
  if (!IdentifyClient(worker_.options(), request.fields, client)) {
    return Reject(400, StatusMessage(400), "forwarded");
  }
  if (Verdict refusal = FindGateway()) return refusal;
  if (gateway == nullptr) return WaitForGateway();
  return HandleKnown(started);
}

// It is known by its head alone: the configuration is fetched while the request's body stays where it is.
io::Task<Verdict> ProxyExchange::WaitForGateway() {
  const io::Loop& loop = worker_.loop();
  const std::string id = worker_.hosts().FindHead(host)->id();
  ++worker_.stats().loads_awaited;
  const Loading::Outcome outcome = co_await worker_.loading().Wait(id, loop.Now() + worker_.times().gateway_load);
  Verdict refusal = FindGateway();
  if (gateway != nullptr) {
    refusal = co_await HandleKnown(worker_.clock().Now());
  } else if (!refusal.has_value()) {
    worker_.stats().loads_timed_out += outcome == Loading::Outcome::kTimeout ? 1 : 0;
    worker_.stats().CountNotLoaded(id);
    const bool full = outcome == Loading::Outcome::kFull;
    refusal = Reject(503, "the gateway is not loaded yet", full ? "load-waits" : "not-loaded");
    refusal->fields.Add("Retry-After", "1");
  }
  co_return refusal;
}

io::Task<Verdict> ProxyExchange::HandleKnown(MonotonicTime now) {
  if (!CountConnection()) return Verdict();
  if (Verdict refusal = limit::AdmitRequest(gateway->state(), now)) {
    if (gateway->state().share_pending) return WaitForSlot();
    reject_reason = "rate-limit";
    return refusal;
  }
  return HandleAdmitted();
}

// The node's share of the limit is spent, and more of it may be on its way.
io::Task<Verdict> ProxyExchange::WaitForSlot() {
  const MonotonicTime until = worker_.clock().Now() + limit::kShareWait;
  Verdict refusal;
  do {
    co_await worker_.loop().SleepUntil(worker_.loop().Now() + limit::kShareRetry);
    refusal = limit::AdmitWaiting(gateway->state(), worker_.clock().Now());
  } while (refusal.has_value() && gateway->state().share_pending && worker_.clock().Now() < until);
  if (refusal.has_value()) {
    reject_reason = "rate-limit";
  } else {
    refusal = co_await HandleAdmitted();
  }
  co_return refusal;
}

io::Task<Verdict> ProxyExchange::HandleAdmitted() {
  if (Verdict refusal = Admit()) return refusal;
  if (Verdict refusal = ChooseRoute()) return refusal;
  if (Verdict refusal = CheckScheme()) return refusal;
  if (Verdict refusal = PrepareUpstream()) return refusal;
  if (match.route->chain().empty()) return Pass();
  return AskPlugins();
}

io::Task<Verdict> ProxyExchange::AskPlugins() {
  Verdict answer = co_await plugins_.OnRequest(*this, match.route->chain());
  if (!answer.has_value()) {
    answer = co_await Pass();
  } else if (reject_reason.empty()) {
    source = Source::kPlugin;
  }
  co_return answer;
}

io::Task<Verdict> ProxyExchange::Pass() {
  if (over_buffered_) return Reject(503, StatusMessage(503), "buffered-bytes");
  if (service == nullptr) return Reject(503, StatusMessage(503), "no-service");
  forward_.emplace(worker_, *this, downstream_, plugins_, body_.has_value() ? &*body_ : nullptr);
  return forward_->Run();
}

// `gateway` is null where it is known and not loaded.
Verdict ProxyExchange::FindGateway() {
  if (!http::CanonicalHost(request.authority, host, port_)) return Reject(400, StatusMessage(400), "host");
  std::shared_ptr<const GatewayHead> head = worker_.hosts().FindHead(host);
  if (client.tls && !client.sni.empty() && client.sni != host) {
    const std::shared_ptr<const GatewayHead> named = worker_.hosts().FindHead(client.sni);
    if (named == nullptr || head == nullptr || named->id() != head->id()) {
      return Reject(421, StatusMessage(421), "misdirected");
    }
  }
  if (head != nullptr) {
    gateway = AsGateway(std::move(head));
    return std::nullopt;
  }
  if (!worker_.ready()) return Reject(503, StatusMessage(503), "not-ready");
  return Reject(404, "no Route matched with those values", "unknown-host");
}

// Among those of the gateway. Where there is no room, the connection ends without an answer.
bool ProxyExchange::CountConnection() {
  if (admission_.EnterGateway(*gateway)) return true;
  reject_reason = "gateway-connections";
  ++worker_.stats().connections_refused_gateway;
  downstream_.Abort();
  return false;
}

// Before anything that costs: the declared length, the requests in flight.
Verdict ProxyExchange::Admit() {
  const config::v1::Plan& plan = gateway->plan();
  if (limit::DeclaredTooLarge(request.framing, plan.max_body_bytes())) {
    return Reject(413, "Request size limit exceeded", "payload");
  }
  downstream_.SetMaxBody(plan.max_body_bytes());
  if (!downstream_.CountBuffered(gateway)) return Reject(503, StatusMessage(503), "buffered-bytes");
  std::shared_ptr<GatewayState> state(gateway, &gateway->state());
  if (!in_flight_.Take(std::move(state), &GatewayState::requests_in_flight, 1, plan.max_requests_in_flight())) {
    Verdict refusal = Reject(503, "too many requests in flight", "in-flight");
    refusal->fields.Add("Retry-After", "1");
    return refusal;
  }
  if (ViaHops(request.fields) > kMaxViaHops) return Reject(508, StatusMessage(508), "loop");
  return std::nullopt;
}

Verdict ProxyExchange::ChooseRoute() {
  std::string_view reason;
  if (!http::NormalizePath(request.path, path, reason)) return Reject(400, StatusMessage(400), reason);
  RouteQuery query{.method = request.method,
                   .host = host,
                   .port = port_ >= 0 ? port_ : (client.tls ? 443 : 80),
                   .path = path,
                   .https = client.tls,
                   .grpc = grpc,
                   .sni = client.sni,
                   .fields = &request.fields};
  match = gateway->FindRoute(query);
  // Calls of gRPC without a route of their own are HTTP like any other. Others cannot use gRPC's: CheckScheme says so.
  if (match.route == nullptr) {
    query.grpc = !grpc;
    match = gateway->FindRoute(query);
  }
  if (match.route != nullptr) {
    service = match.route->service;
    if (grpc && match.route->protocols.IsGrpc()) downstream_.AllowSilence();
    return std::nullopt;
  }
  plugins_.ChooseWithoutRequest(*this, gateway->global_chain());
  return Reject(404, "no Route matched with those values", "route");
}

Verdict ProxyExchange::CheckScheme() {
  const Route& route = *match.route;
  const bool grpc_route = route.protocols.IsGrpc();
  Verdict refusal;
  if (grpc_route && request.protocol != http::Protocol::kHttp2) {
    refusal = Reject(426, "Please use HTTP2 protocol", "grpc-only");
    refusal->fields.Add("Upgrade", "HTTP/2");
  } else if (grpc_route && !grpc) {
    refusal = Reject(415, "Non-gRPC request matched gRPC route", "grpc-only");
  } else if (client.https() || route.protocols.For(false, grpc_route)) {
    return std::nullopt;
  } else if (grpc_route) {
    refusal = Reject(426, "gRPC request matched gRPCs route", "https-only");
  } else {
    const int code = route.https_redirect_status;
    refusal = Reject(code, "Please use HTTPS protocol", "https-only");
    if (code != 426) refusal->fields.Add("Location", text::Cat("https://", host, request.target));
  }
  plugins_.ChooseWithoutRequest(*this, route.chain());
  return refusal;
}

Verdict ProxyExchange::PrepareUpstream() {
  upstream.method = request.method;
  upstream.query = request.query;
  upstream.has_query = request.has_query;
  CopyRequestFields(request, upstream.fields);
  const PathRule rule{.service_path = service != nullptr ? std::string_view(service->path) : std::string_view(),
                      .matched_bytes = match.matched_bytes,
                      .strip = match.route->strip_path,
                      .v1 = match.route->path_handling_v1};
  if (StripsToDots(rule, path)) {
    plugins_.ChooseWithoutRequest(*this, match.route->chain());
    return Reject(400, StatusMessage(400), "path-climbs");
  }
  upstream.path = UpstreamPath(rule, path);
  return std::nullopt;
}

Verdict ProxyExchange::Reject(int refusal, std::string_view message, std::string_view reason) {
  reject_reason = reason;
  return Reply::Message(refusal, std::string(message));
}

io::Task<void> ProxyExchange::Give(Reply reply) {
  if (downstream_.head_sent()) {
    downstream_.Abort();
    co_return;
  }
  http::ResponseHead head;
  head.status = reply.status;
  Rendered rendered = Render(reply, request.fields.Get("accept"), request_id);
  const Duration latency = worker_.clock().Now() - started;
  head.fields = std::move(reply.fields);
  if (!rendered.content_type.empty() && !head.fields.Has("content-type")) {
    head.fields.AppendView("Content-Type", rendered.content_type);
  }
  if (!head.fields.Has("server")) head.fields.AppendView("Server", kViaName);
  head.fields.Add("X-Kong-Response-Latency",
                  text::Cat(std::chrono::duration_cast<std::chrono::milliseconds>(latency).count()));
  head.fields.AppendView("X-Kong-Request-Id", request_id);
  response = &head;
  plugins_.OnResponse(*this, head);
  if (worker_.options().config_version_header) AddConfigVersion(*this, head);
  BodyPiece piece{.bytes = rendered.body, .last = true};
  plugins_.OnResponseBody(*this, piece);
  status = head.status;
  if (grpc) {
    grpc_status = GrpcStatus(status);
    MakeGrpcReply(head, reply.message.value_or(""));
  }
  const bool no_body = grpc || head.status == 204 || head.status == 304;
  Downstream::Outgoing out{.head = &head, .framing = {}, .body = {}, .last = true};
  out.body_omitted = request.method == "HEAD";
  if (!no_body) out.framing = {.kind = Kind::kLength, .length = piece.bytes.size()};
  if (!no_body && !out.body_omitted) out.body = piece.bytes;
  response_body_bytes = out.body.size();
  const bool sent = co_await downstream_.SendHead(out);
  if (!sent && reject_reason.empty()) reject_reason = "client-gone";
  response = nullptr;
}

// Exactly once, however it ended.
void ProxyExchange::Finish() {
  if (finished_) return;
  finished_ = true;
  ended = worker_.clock().Now();
  request_bytes = downstream_.bytes_received();
  request_body_bytes = downstream_.body_received();
  response_bytes = downstream_.bytes_sent();
  plugins_.OnDone(*this);
  worker_.stats().CountRequest(*this);
  worker_.LogAccess(*this);
  in_flight_.Release();
  buffered_.Release();
}

void ProxyExchange::Cut() {
  if (finished_) return;
  reject_reason = "drain";
  Finish();
  downstream_.Abort();
}

void ExchangeList::Add(ProxyExchange& exchange) {
  exchange.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &exchange;
  first_ = &exchange;
}

void ExchangeList::Remove(ProxyExchange& exchange) {
  (exchange.previous_ != nullptr ? exchange.previous_->next_ : first_) = exchange.next_;
  if (exchange.next_ != nullptr) exchange.next_->previous_ = exchange.previous_;
}

void ExchangeList::Cut() {
  for (ProxyExchange* exchange = first_; exchange != nullptr;) {
    ProxyExchange* const next = exchange->next_;
    exchange->Cut();
    exchange = next;
  }
}

}  // namespace sluice::proxy
