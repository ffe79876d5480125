#include "data-plane/proxy/forward.h"

#include <algorithm>
#include <array>

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

Destination DestinationOf(const Exchange& exchange) {
  const Service& service = *exchange.service;
  return {.gateway = exchange.gateway,
          .host = service.host,
          .port = service.port,
          .tls = service.tls,
          .verify = service.tls_verify,
          .upstream = service.upstream,
          .connect_timeout = service.connect_timeout,
          .retries = service.retries};
}

std::string HostField(const std::string& host, uint16_t port, bool tls) {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = v6 ? text::Cat("[", host, "]") : host;
  return port == (tls ? 443 : 80) ? name : text::Cat(name, ":", port);
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
      dialer_(worker, DestinationOf(exchange), exchange.tries),
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
    if (dialed.connection == nullptr) co_return DialFailed(dialed.error);
    connection_ = std::move(dialed.connection);
    const Answer answer = co_await Ask(dialed.reused && !again);
    if (answer == Answer::kRetry) {
      again = true;
      continue;
    }
    if (answer == Answer::kHead) failure_ = co_await Relay();
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
    case DialError::kDenied:  // tells a tenant nothing of what lives at an address
    case DialError::kRefused:
    case DialError::kTls:
    case DialError::kNone:
      break;
  }
  return Refused(502, StatusMessage(502), reason);
}

io::Task<Forward::Answer> Forward::Ask(bool reused) {
  ++connection_->uses;
  const bool sent = co_await SendRequest();
  if (!sent) co_return Answer::kFailed;
  const Answer answer = co_await ReadHead(reused);
  co_return answer;
}

void Forward::WriteRequestHead(std::string& out) {
  UpstreamRequest& upstream = exchange_.upstream;
  if (!fields_added_) AddForwardedFields(exchange_, forwarded_);
  fields_added_ = true;
  http::Framing framing = exchange_.request.framing;
  if (body_ != nullptr) framing = {.kind = http::Framing::Kind::kLength, .length = body_->size()};
  std::string host = upstream.host;
  if (host.empty() && exchange_.match.route->preserve_host) host = exchange_.request.authority;
  if (host.empty() && service_.upstream != nullptr) host = service_.upstream->host_header;
  if (host.empty()) host = HostField(dialer_.host(), dialer_.port(), service_.tls);
  std::string target = upstream.path;
  if (upstream.has_query) text::Append(target, "?", upstream.query);
  http::AppendRequestHead(out, upstream.method, target, host, upstream.fields, framing);
}

// Head and what is here of the body, as one write; the rest follows beside the response.
io::Task<bool> Forward::SendRequest() {
  const bool chunked = body_ == nullptr && exchange_.request.framing.kind == http::Framing::Kind::kChunked;
  std::string& out = worker_.out();
  out.clear();
  WriteRequestHead(out);
  bool whole = true;
  if (body_ != nullptr) {
    failure_ = plugins_.OnRequestBody(exchange_, *body_);
    out.append(*body_);
  } else if (exchange_.request.framing.kind != http::Framing::Kind::kNone) {
    const BodyRead got = downstream_.TryReadBody();
    body_taken_ = downstream_.body_received() != 0 || got.end;
    whole = got.end;
    exchange_.request_body_bytes = downstream_.body_received();
    failure_ = got.error != BodyError::kNone ? RefuseBody(exchange_, got.error)
                                             : plugins_.OnRequestBody(exchange_, got.data);
    if (chunked) {
      http::AppendChunk(out, got.data);
      if (got.end) out.append(http::kLastChunk);
    } else {
      out.append(got.data);
    }
  }
  if (failure_.has_value()) {
    if (body_ != nullptr) exchange_.source = Source::kPlugin;
    co_return false;
  }
  if (exchange_.upstream_sent == MonotonicTime{}) exchange_.upstream_sent = worker_.clock().Now();
  const io::IoResult sent = co_await io::WriteAll(*connection_->stream, out, service_.write_timeout);
  if (sent.error == io::IoError::kTimeout) {
    failure_ = Refused(504, StatusMessage(504), "upstream-timeout");
    co_return false;
  }
  // An upstream that stopped listening may have answered: its answer is looked for all the same.
  if (!whole && sent.ok()) pump_.Start(*connection_->stream, chunked, service_.write_timeout);
  co_return true;
}

bool Forward::MayRepeat() const {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  if (body_taken_ || pump_.started()) return false;
  for (std::string_view method : kIdempotent) {
    if (exchange_.upstream.method == method) return true;
  }
  return false;
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
  if (pump_.started()) {
    if (pump_.end() == RequestPump::End::kClient) return Fail(RefuseBody(exchange_, pump_.body_error()));
    if (pump_.end() == RequestPump::End::kUpstreamStalls) error = io::IoError::kTimeout;
    if (pump_.end() == RequestPump::End::kRejected) {
      exchange_.source = Source::kPlugin;
      return Fail(std::move(pump_.verdict()));
    }
  }
  if (error == io::IoError::kTimeout) return Fail(Refused(504, StatusMessage(504), "upstream-timeout"));
  if (reused && connection_->reader.pending().empty() && MayRepeat()) return Answer::kRetry;
  return Fail(Refused(502, StatusMessage(502), "upstream-closed"));
}

io::Task<Forward::Answer> Forward::ReadHead(bool reused) {
  Reader& reader = connection_->reader;
  size_t scanned = 0;
  int interim = 0;
  MonotonicTime deadline = worker_.loop().Now() + service_.read_timeout;
  for (;;) {
    const size_t end = http::FindHeadEnd(reader.pending(), scanned);
    if (end == 0) {
      if (reader.pending().size() > http::kMaxHeadBytes) break;
      const MonotonicTime look = NextLook(deadline);
      const io::IoError error = co_await reader.Fill(look);
      if (error == io::IoError::kTimeout && KeepWaiting(deadline)) continue;
      if (error != io::IoError::kNone) co_return Lost(reused, error);
      continue;
    }
    http::ResponseHead head;
    const std::string_view bytes = reader.pending().substr(0, end);
    const http::ParseError wrong = http::ParseResponseHead(bytes, exchange_.upstream.method, head);
    reader.Consume(end);
    scanned = 0;
    if (wrong || head.status == 101) break;
    if (head.status >= 200) {
      reader.Hold();
      head_ = std::move(head);
      exchange_.upstream_answered = worker_.clock().Now();
      co_return Answer::kHead;
    }
    if (++interim > kMaxInterimResponses) break;
  }
  co_return Fail(Refused(502, StatusMessage(502), "upstream-response"));
}

}  // namespace sluice::proxy
