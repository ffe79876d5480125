// Requests of the gateway's own, for plugins: the same egress policy, resolver, pool and TLS rules as proxied ones.

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "data-plane/proxy/body_reader.h"
#include "data-plane/proxy/dialer.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

std::string Serialise(const HttpCall& call) {
  http::Fields fields;
  for (const auto& [name, value] : call.fields) fields.AppendView(name, value);
  const bool named = call.port == (call.tls ? 443 : 80);
  const std::string host = named ? call.host : text::Cat(call.host, ":", call.port);
  const http::Framing framing{.kind = http::Framing::Kind::kLength, .length = call.body.size()};
  std::string bytes;
  http::AppendRequestHead(bytes, call.method, call.target, host, fields, framing);
  bytes.append(call.body);
  return bytes;
}

// "" where a head came whole.
io::Task<std::string> ReadHead(Reader& reader, std::string_view method, MonotonicTime deadline,
                               http::ResponseHead& head) {
  size_t scanned = 0;
  for (int interim = 0; interim <= kMaxInterimResponses;) {
    const size_t end = http::FindHeadEnd(reader.pending(), scanned);
    if (end == 0) {
      if (reader.pending().size() > http::kMaxHeadBytes) break;
      const io::IoError error = co_await reader.Fill(deadline);
      if (error != io::IoError::kNone) co_return text::Cat("no answer: ", io::ToString(error));
      continue;
    }
    head = http::ResponseHead();
    const http::ParseError wrong = http::ParseResponseHead(reader.pending().substr(0, end), method, head);
    reader.Consume(end);
    scanned = 0;
    if (wrong || head.status == 101) break;
    if (head.status >= 200) co_return "";
    ++interim;
  }
  co_return "an invalid answer";
}

}  // namespace

io::Task<HttpCallResult> Worker::Call(std::shared_ptr<const Gateway> gateway, HttpCall call) {
  HttpCallResult result;
  const MonotonicTime deadline = loop_->Now() + call.timeout;
  std::vector<Try> tries;
  Dialer dialer(*this,
                {.gateway = gateway,
                 .host = call.host,
                 .port = call.port,
                 .tls = call.tls,
                 .verify = call.verify,
                 .upstream = nullptr,
                 .connect_timeout = call.timeout,
                 .retries = 1},
                tries);
  Dialed dialed = co_await dialer.Next();
  if (dialed.connection == nullptr) {
    result.error = std::string(ToString(dialed.error));
    co_return result;
  }
  std::unique_ptr<UpstreamConnection> connection = std::move(dialed.connection);
  const std::string bytes = Serialise(call);
  const io::IoResult sent = co_await io::WriteAll(*connection->stream, bytes, call.timeout);
  if (!sent.ok()) {
    result.error = text::Cat("not sent: ", io::ToString(sent.error));
    co_return result;
  }
  http::ResponseHead head;
  std::string failure = co_await ReadHead(connection->reader, call.method, deadline, head);
  if (!failure.empty()) {
    result.error = std::move(failure);
    co_return result;
  }
  result.status = head.status;
  BodyReader body(connection->reader, head.framing);
  for (;;) {
    const BodyReader::Piece piece = body.Take();
    if (piece.malformed || body.decoded() > kMaxCallResponseBytes) co_return result;
    if (body.done()) break;
    const io::IoError error = co_await connection->reader.Fill(deadline);
    if (error != io::IoError::kNone) co_return result;
  }
  if (head.keep_alive && connection->reader.pending().empty()) pool_->Give(std::move(connection), Jitter());
  co_return result;
}

}  // namespace sluice::proxy
