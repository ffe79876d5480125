#include "data-plane/proxy/forward.h"

#include <algorithm>
#include <array>

#include "data-plane/http/writer.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

HashKey HashOfRequest(const Exchange& exchange) {
  const Upstream* upstream = exchange.service->upstream;
  if (upstream == nullptr || upstream->algorithm != Algorithm::kConsistentHashing) return {};
  return HashKeyOf(exchange, *upstream);
}

// A websocket needs HTTP/1.1.
HttpVersions VersionsOf(const Exchange& exchange) {
  if (exchange.service->grpc) return HttpVersions::kHttp2;
  return exchange.service->tls && !exchange.request.upgrade_websocket ? HttpVersions::kAny : HttpVersions::kHttp1;
}

Destination DestinationOf(const Exchange& exchange, const HashKey& hash, Downstream& client) {
  const Service& service = *exchange.service;
  return {.gateway = exchange.gateway,
          .host = service.host,
          .port = service.port,
          .tls = service.tls,
          .tls_rules = service.tls_rules,
          .versions = VersionsOf(exchange),
          .upstream = service.upstream,
          .hash = hash.hash,
          .connect_timeout = service.connect_timeout,
          .retries = service.retries,
          .client = &client};
}

std::string HostField(const std::string& host, uint16_t port, bool tls) {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = v6 ? text::Cat("[", host, "]") : host;
  return port == (tls ? 443 : 80) ? name : text::Cat(name, ":", port);
}

// RFC 6455 section 4.1: what was asked for, and nothing else.
bool AcceptsUpgrade(const http::ResponseHead& head, const http::RequestHead& request) {
  return request.upgrade_websocket && http::EqualsIgnoreCase(head.fields.Get("upgrade"), "websocket");
}

}  // namespace

Reply RefuseBody(Exchange& exchange, BodyError error) {
  switch (error) {
    case BodyError::kTooLarge:
      exchange.reject_reason = "payload";
      return Reply::Message(413, "Request size limit exceeded");
    case BodyError::kTooSlow:
      exchange.reject_reason = "body-rate";
      return Reply::Message(408, std::string(StatusMessage(408)));
    case BodyError::kMalformed:
      exchange.reject_reason = "body-framing";
      return Reply::Message(400, std::string(StatusMessage(400)));
    case BodyError::kNoRoom:
      exchange.reject_reason = "buffered-bytes";
      return Reply::Message(503, std::string(StatusMessage(503)));
    case BodyError::kGone:
    case BodyError::kNone:
      break;
  }
  exchange.reject_reason = "client-gone";
  return Reply::Message(400, std::string(StatusMessage(400)));
}

Forward::Forward(Worker& worker, Exchange& exchange, Downstream& downstream, const PluginRun& plugins,
                 const std::string* body)
    : worker_(worker),
      exchange_(exchange),
      downstream_(downstream),
      plugins_(plugins),
      body_(body),
      service_(*exchange.service),
      hash_(HashOfRequest(exchange)),
      dialer_(worker, DestinationOf(exchange, hash_, downstream), exchange.tries),
      pump_(worker, exchange, downstream, plugins),
      head_request_(exchange.request.method == "HEAD") {}

io::Task<Verdict> Forward::Run() {
  bool again = false;
  for (;;) {
    Dialed dialed;
    if (again) {
      dialed = co_await dialer_.Again();
    } else {
      dialed = co_await dialer_.Next();
    }
    if (dialed.stream == nullptr) co_return DialFailed(dialed.error);
    upstream_ = std::move(dialed.stream);
    Answer answer = Answer::kFailed;
    const bool sent = co_await SendRequest();
    if (sent) answer = co_await ReadHead(dialed.reused && !again);
    if (answer == Answer::kRetry) {
      again = true;
      continue;
    }
    if (answer == Answer::kHead && head_.status == 101) {
      failure_ = co_await Tunnel();
    } else if (answer == Answer::kHead) {
      failure_ = co_await Relay();
    }
    break;
  }
  pump_.Abandon();
  co_return std::move(failure_);
}

Verdict Forward::Refused(int status, std::string_view message, std::string_view reason) {
  exchange_.reject_reason = reason;
  return Reply::Message(status, std::string(message));
}

Verdict Forward::DialFailed(DialError error) {
  const std::string_view reason = ToString(error);
  switch (error) {
    case DialError::kNoTarget:
      return Refused(503, "failure to get a peer from the ring-balancer", reason);
    case DialError::kNoSuchName:
    case DialError::kResolver:
      return Refused(503, "name resolution failed", reason);
    case DialError::kConnections:
    case DialError::kPending:
      return Refused(503, StatusMessage(503), reason);
    case DialError::kTimeout:
      return Refused(504, StatusMessage(504), reason);
    case DialError::kClientGone:
      Cut(reason);
      return std::nullopt;
    case DialError::kDenied:  // tells a tenant nothing of what lives at an address
    case DialError::kRefused:
    case DialError::kTls:
    case DialError::kNone:
      break;
  }
  return Refused(502, StatusMessage(502), reason);
}

std::string Forward::HostFor() const {
  const UpstreamRequest& upstream = exchange_.upstream;
  if (!upstream.host.empty()) return upstream.host;
  if (exchange_.match.route->preserve_host && !exchange_.request.authority.empty()) {
    return std::string(exchange_.request.authority);
  }
  if (service_.upstream != nullptr && !service_.upstream->host_header.empty()) return service_.upstream->host_header;
  return HostField(dialer_.host(), dialer_.port(), service_.tls);
}

UpstreamStream::Outgoing Forward::RequestHead() {
  UpstreamRequest& upstream = exchange_.upstream;
  if (!fields_added_) AddForwardedFields(exchange_, forwarded_);
  fields_added_ = true;
  authority_ = HostFor();
  target_ = upstream.path;
  if (upstream.has_query) text::Append(target_, "?", upstream.query);
  http::Framing framing = exchange_.request.framing;
  if (body_ != nullptr) framing = {.kind = http::Framing::Kind::kLength, .length = body_->size()};
  return {.method = upstream.method,
          .scheme = service_.tls ? "https" : "http",
          .authority = authority_,
          .target = target_,
          .fields = &upstream.fields,
          .framing = framing,
          .body = {},
          .last = framing.kind == http::Framing::Kind::kNone,
          .upgrade = exchange_.request.upgrade_websocket};
}

// What is here of the body goes with the head.
Verdict Forward::TakeFirstBody(UpstreamStream::Outgoing& out) {
  if (body_ != nullptr) {
    out.body = *body_;
    out.last = true;
    return plugins_.OnRequestBody(exchange_, *body_);
  }
  if (out.last) return std::nullopt;
  const BodyRead got = downstream_.TryReadBody();
  body_taken_ = downstream_.body_received() != 0;
  out.body = got.data;
  out.last = got.end;
  exchange_.request_body_bytes = downstream_.body_received();
  if (got.error != BodyError::kNone) return RefuseBody(exchange_, got.error);
  return plugins_.OnRequestBody(exchange_, got.data);
}

// Head and what is here of the body, as one write; the rest follows beside the response.
io::Task<bool> Forward::SendRequest() {
  UpstreamStream::Outgoing out = RequestHead();
  failure_ = TakeFirstBody(out);
  if (failure_.has_value()) {
    if (body_ != nullptr) exchange_.source = Source::kPlugin;
    return false;
  }
  if (exchange_.upstream_sent == MonotonicTime{}) exchange_.upstream_sent = worker_.clock().Now();
  return io::Then(upstream_->SendHead(out, service_.write_timeout),
                  [this, whole = out.last](io::IoError error) { return RequestSent(whole, error); });
}

bool Forward::RequestSent(bool whole, io::IoError error) {
  if (error == io::IoError::kTimeout) {
    TargetFailed(true);
    failure_ = Refused(504, StatusMessage(504), "upstream-timeout");
    return false;
  }
  // An upstream that stopped listening may have answered: its answer is looked for all the same.
  if (!whole && error == io::IoError::kNone) pump_.Start(*upstream_, service_.write_timeout);
  return true;
}

bool Forward::MayRepeat() const {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  if (body_taken_ || pump_.started()) return false;
  for (std::string_view method : kIdempotent) {
    if (exchange_.upstream.method == method) return true;
  }
  return false;
}

void Forward::TargetFailed(bool timed_out) {
  dialer_.target().Failed(timed_out, worker_.clock().Now() - exchange_.upstream_sent);
}

Forward::Answer Forward::Fail(Verdict verdict) {
  failure_ = std::move(verdict);
  return Answer::kFailed;
}

// When to see whether the client is still there: nobody else may read its connection.
MonotonicTime Forward::NextLook(MonotonicTime deadline) const {
  return std::min(deadline, worker_.loop().Now() + worker_.times().client_check);
}

// After a wait until NextLook that brought nothing. False where the time is up or the client has left.
bool Forward::KeepWaiting(MonotonicTime& deadline) {
  client_gone_ = !pump_.running() && downstream_.Gone();
  if (client_gone_) return false;
  if (worker_.loop().Now() < deadline) return true;
  if (!StillSending(deadline)) return false;
  if (pump_.running()) deadline = worker_.loop().Now() + service_.read_timeout;
  return true;
}

// While the body is still on its way the upstream owes nothing; its time runs from the end of it.
bool Forward::StillSending(MonotonicTime& deadline) const {
  if (pump_.running()) return true;
  if (!pump_.started() || pump_.ended_at() + service_.read_timeout <= worker_.loop().Now()) return false;
  deadline = pump_.ended_at() + service_.read_timeout;
  return true;
}

Forward::Answer Forward::Lost(bool reused, io::IoError error) {
  if (client_gone_) {
    Cut("client-gone");
    return Answer::kFailed;
  }
  if (upstream_->out_of_room()) return Fail(Refused(503, StatusMessage(503), "buffered-bytes"));
  if (pump_.started()) {
    if (pump_.end() == RequestPump::End::kClient) return Fail(RefuseBody(exchange_, pump_.body_error()));
    if (pump_.end() == RequestPump::End::kUpstreamStalls) error = io::IoError::kTimeout;
    if (pump_.end() == RequestPump::End::kRejected) {
      exchange_.source = Source::kPlugin;
      return Fail(std::move(pump_.verdict()));
    }
  }
  if (error == io::IoError::kTimeout) {
    TargetFailed(true);
    return Fail(Refused(504, StatusMessage(504), "upstream-timeout"));
  }
  const bool unprocessed = upstream_->refused() && !body_taken_ && !pump_.started() &&
                           exchange_.tries.size() < static_cast<size_t>(kMaxTries);
  const bool repeatable = unprocessed || (reused && !upstream_->answered() && MayRepeat());
  if (repeatable && dialer_.TakeRetry()) return Answer::kRetry;
  TargetFailed(false);
  return Fail(Refused(502, StatusMessage(502), "upstream-closed"));
}

io::Task<Forward::Answer> Forward::ReadHead(bool reused) {
  int interim = 0;
  MonotonicTime deadline = worker_.loop().Now() + service_.read_timeout;
  for (;;) {
    http::ResponseHead head;
    const MonotonicTime look = NextLook(deadline);
    const UpstreamStream::HeadRead read = co_await upstream_->ReadHead(head, look);
    if (read.error == io::IoError::kTimeout && KeepWaiting(deadline)) continue;
    if (read.error != io::IoError::kNone) co_return Lost(reused, read.error);
    if (read.malformed) break;
    const bool unasked = head.status == 101 && !AcceptsUpgrade(head, exchange_.request);
    if (unasked) break;
    if (head.status >= 200 || head.status == 101) {
      head_ = std::move(head);
      exchange_.upstream_answered = worker_.clock().Now();
      dialer_.target().Answered(head_.status, exchange_.upstream_answered - exchange_.upstream_sent);
      co_return Answer::kHead;
    }
    if (++interim > kMaxInterimResponses) break;
    const bool there = co_await RelayInterim(head);
    if (!there) {
      client_gone_ = true;
      co_return Lost(reused, io::IoError::kReset);
    }
  }
  TargetFailed(false);
  co_return Fail(Refused(502, StatusMessage(502), "upstream-response"));
}

// A 100 was for the gateway, which answers the client's Expect itself. A body that is still on its way may need the
// client's connection for that 100: nobody else writes to it meanwhile.
io::Task<bool> Forward::RelayInterim(http::ResponseHead& head) {
  if (head.status == 100 || pump_.running()) co_return true;
  http::RemoveConnectionFields(head.fields);
  const bool sent = co_await downstream_.SendInterim(head);
  co_return sent;
}

}  // namespace sluice::proxy
