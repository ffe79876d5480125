// Requests of the gateway's own, for plugins: the same egress policy, resolver, pool and TLS rules as proxied ones.

#include "data-plane/proxy/dialer.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

std::string HostOf(const HttpCall& call) {
  return call.port == (call.tls ? 443 : 80) ? call.host : text::Cat(call.host, ":", call.port);
}

// "" where the answer's head came whole.
io::Task<std::string> ReadAnswer(UpstreamStream& upstream, MonotonicTime deadline, http::ResponseHead& head) {
  for (int interim = 0; interim <= kMaxInterimResponses; ++interim) {
    const UpstreamStream::HeadRead read = co_await upstream.ReadHead(head, deadline);
    if (read.error != io::IoError::kNone) co_return text::Cat("no answer: ", io::ToString(read.error));
    if (read.malformed || head.status == 101) break;
    if (head.status >= 200) co_return "";
  }
  co_return "an invalid answer";
}

// Reads the answer's body away, so that the connection may be used again.
io::Task<bool> ReadAway(UpstreamStream& upstream, MonotonicTime deadline) {
  UpstreamStream::BodyPiece piece = upstream.TryReadBody();
  uint64_t read = 0;
  while (!piece.end) {
    read += piece.data.size();
    if (piece.malformed || piece.error != io::IoError::kNone || read > kMaxCallResponseBytes) co_return false;
    piece = co_await upstream.ReadBody(deadline);
  }
  co_return !piece.malformed;
}

}  // namespace

io::Task<HttpCallResult> Worker::Call(std::shared_ptr<const Gateway> gateway, HttpCall call) {
  HttpCallResult result;
  const MonotonicTime deadline = loop_->Now() + call.timeout;
  Tries tries;
  Dialer dialer(*this,
                {.gateway = gateway,
                 .host = call.host,
                 .port = call.port,
                 .tls = call.tls,
                 .tls_rules = call.verify ? nullptr : std::make_shared<io::TlsRules>(io::TlsRules{.verify = false}),
                 .upstream = nullptr,
                 .connect_timeout = call.timeout,
                 .retries = 1},
                tries);
  Dialed dialed = co_await dialer.Next();
  if (dialed.stream == nullptr) {
    result.error = std::string(ToString(dialed.error));
    co_return result;
  }
  UpstreamStream& upstream = *dialed.stream;
  http::Fields fields;
  for (const auto& [name, value] : call.fields) fields.AppendView(name, value);
  const std::string host = HostOf(call);
  const http::Framing framing{.kind = http::Framing::Kind::kLength, .length = call.body.size()};
  const UpstreamStream::Outgoing out{.method = call.method,
                                     .scheme = call.tls ? "https" : "http",
                                     .authority = host,
                                     .target = call.target,
                                     .fields = &fields,
                                     .framing = framing,
                                     .body = call.body,
                                     .last = true};
  const io::IoError sent = co_await upstream.SendHead(out, call.timeout);
  if (sent != io::IoError::kNone) {
    result.error = text::Cat("not sent: ", io::ToString(sent));
    co_return result;
  }
  http::ResponseHead head;
  std::string failure = co_await ReadAnswer(upstream, deadline, head);
  if (!failure.empty()) {
    result.error = std::move(failure);
    co_return result;
  }
  result.status = head.status;
  const bool whole = co_await ReadAway(upstream, deadline);
  if (whole) upstream.Release();
  co_return result;
}

}  // namespace sluice::proxy
