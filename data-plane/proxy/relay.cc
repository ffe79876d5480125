// The way of a response back to the client: the second half of Forward.

#include <charconv>

#include "data-plane/proxy/forward.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

using Kind = http::Framing::Kind;

int64_t Millis(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

void Forward::AddResponseFields() {
  const std::string_view before = head_.fields.Get("via");
  via_ = before.empty() ? text::Cat("1.1 ", kViaName) : text::Cat(before, ", 1.1 ", kViaName);
  upstream_latency_ = text::Cat(Millis(exchange_.upstream_answered - exchange_.upstream_sent));
  proxy_latency_ = text::Cat(Millis(exchange_.upstream_sent - exchange_.started));
  head_.fields.RemoveIf([](const http::Field& field) {
    return http::EqualsIgnoreCase(field.name, "via") || http::EqualsIgnoreCase(field.name, "x-kong-request-id") ||
           http::EqualsIgnoreCase(field.name, "x-kong-upstream-latency") ||
           http::EqualsIgnoreCase(field.name, "x-kong-proxy-latency");
  });
  head_.fields.AppendView("Via", via_);
  head_.fields.AppendView("X-Kong-Upstream-Latency", upstream_latency_);
  head_.fields.AppendView("X-Kong-Proxy-Latency", proxy_latency_);
  head_.fields.AppendView("X-Kong-Request-Id", exchange_.request_id);
}

// What the client is told of the body's end. To HEAD that is what GET would have had.
http::Framing Forward::ClientFraming() const {
  if (head_request_) {
    uint64_t length = 0;
    const auto [end, error] =
        std::from_chars(content_length_.data(), content_length_.data() + content_length_.size(), length);
    const bool known = !content_length_.empty() && error == std::errc() && !plugins_.Has(kOnResponseBody);
    return known ? http::Framing{.kind = Kind::kLength, .length = length} : http::Framing{};
  }
  if (head_.framing.kind == Kind::kLength && plugins_.Has(kOnResponseBody)) return {.kind = Kind::kChunked};
  return head_.framing;
}

io::Task<Verdict> Forward::Relay() {
  exchange_.upstream_status = head_.status;
  if (head_request_) content_length_ = std::string(head_.fields.Get("content-length"));
  const bool upstream_keeps = head_.keep_alive && head_.framing.kind != Kind::kUntilClose;
  StripResponseFields(head_);
  AddResponseFields();
  BodyReader body(connection_->reader, head_.framing);
  BodyReader::Piece piece = body.Take();
  const bool surplus = body.done() && !connection_->reader.pending().empty();
  if (piece.malformed || surplus) co_return Refused(502, StatusMessage(502), "upstream-response");

  exchange_.source = Source::kUpstream;
  exchange_.response = &head_;
  plugins_.OnResponse(exchange_, head_);
  Verdict failure;
  bool passed = true;
  if (exchange_.buffer_response && head_.framing.kind != Kind::kNone) {
    failure = co_await PassWhole(body, piece);
    if (failure.has_value()) exchange_.source = Source::kGateway;
  } else {
    passed = co_await Pass(body, piece);
  }
  exchange_.response = nullptr;
  if (passed && upstream_keeps && !failure.has_value()) Recycle(body);
  co_return failure;
}

// Head with the first piece, then piece by piece, never ahead of the client. False where it was cut short.
io::Task<bool> Forward::Pass(BodyReader& body, BodyReader::Piece first) {
  BodyPiece piece{.bytes = first.data, .last = body.done()};
  plugins_.OnResponseBody(exchange_, piece);
  Downstream::Outgoing out{.head = &head_, .framing = ClientFraming(), .body = piece.bytes, .last = body.done()};
  if (head_request_) {
    out.body = {};
    out.body_omitted = true;
  }
  exchange_.status = head_.status;
  if (out.framing.kind != Kind::kNone) exchange_.response_body_bytes += out.body.size();
  bool sent = co_await downstream_.SendHead(out);
  while (sent && !body.done()) {
    const io::IoError error = co_await FillResponse();
    const bool ended = error == io::IoError::kEnd && body.EndOfInput();
    if (error != io::IoError::kNone && !ended) {
      const std::string_view reason = error == io::IoError::kTimeout ? "upstream-timeout" : "upstream-truncated";
      Cut(client_gone_ ? "client-gone" : reason);
      co_return false;
    }
    const BodyReader::Piece next = body.Take();
    if (next.malformed) {
      Cut("upstream-response");
      co_return false;
    }
    const bool last = body.done() || ended;
    BodyPiece more{.bytes = next.data, .last = last};
    plugins_.OnResponseBody(exchange_, more);
    exchange_.response_body_bytes += more.bytes.size();
    sent = co_await downstream_.SendBody(more.bytes, last);
    if (ended) break;
  }
  if (!sent) {
    Cut("client-gone");
    co_return false;
  }
  co_return true;
}

// The body is collected first, because a plugin wants it whole.
io::Task<Verdict> Forward::PassWhole(BodyReader& body, BodyReader::Piece first) {
  const uint64_t max_buffered = exchange_.gateway->plan().max_buffered_bytes();
  std::shared_ptr<GatewayState> state(exchange_.gateway, &exchange_.gateway->state());
  limit::Slot buffered;
  buffered.Take(state, &GatewayState::buffered_bytes, 0, 0);
  std::string whole;
  BodyReader::Piece piece = first;
  for (;;) {
    if (whole.size() + piece.data.size() > Exchange::kMaxBufferedResponse) {
      co_return Refused(502, StatusMessage(502), "response-too-large");
    }
    if (!buffered.Grow(static_cast<int64_t>(piece.data.size()), max_buffered)) {
      co_return Refused(503, StatusMessage(503), "buffered-bytes");
    }
    whole.append(piece.data);
    if (body.done()) break;
    const io::IoError error = co_await FillResponse();
    if (error == io::IoError::kEnd && body.EndOfInput()) break;
    if (client_gone_) {
      Cut("client-gone");
      co_return std::nullopt;
    }
    if (error == io::IoError::kTimeout) co_return Refused(504, StatusMessage(504), "upstream-timeout");
    if (error != io::IoError::kNone) co_return Refused(502, StatusMessage(502), "upstream-truncated");
    piece = body.Take();
    if (piece.malformed) co_return Refused(502, StatusMessage(502), "upstream-response");
  }
  BodyPiece all{.bytes = whole, .last = true};
  plugins_.OnResponseBody(exchange_, all);
  exchange_.status = head_.status;
  exchange_.response_body_bytes = all.bytes.size();
  const http::Framing framing{.kind = Kind::kLength, .length = all.bytes.size()};
  const Downstream::Outgoing out{.head = &head_, .framing = framing, .body = all.bytes, .last = true};
  const bool sent = co_await downstream_.SendHead(out);
  if (!sent) Cut("client-gone");
  co_return std::nullopt;
}

io::Task<io::IoError> Forward::FillResponse() {
  MonotonicTime deadline = worker_.loop().Now() + service_.read_timeout;
  for (;;) {
    const MonotonicTime look = NextLook(deadline);
    const io::IoError error = co_await connection_->reader.Fill(look);
    if (error != io::IoError::kTimeout || !KeepWaiting(deadline)) co_return error;
  }
}

void Forward::Cut(std::string_view reason) {
  exchange_.reject_reason = reason;
  downstream_.Abort();
}

// Only a connection on which both messages were complete carries another.
void Forward::Recycle(const BodyReader& body) {
  const bool request_whole = !pump_.started() || pump_.end() == RequestPump::End::kDone;
  if (!request_whole || !body.done() || !connection_->reader.pending().empty()) return;
  if (body_ == nullptr && !downstream_.body_done()) return;
  worker_.pool().Give(std::move(connection_), worker_.Jitter());
}

}  // namespace sluice::proxy
