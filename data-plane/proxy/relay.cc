// The way of a response back to the client: the second half of Forward.

#include <charconv>

#include "data-plane/http/writer.h"
#include "data-plane/proxy/forward.h"
#include "data-plane/proxy/forward_fields.h"
#include "data-plane/proxy/grpc.h"
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
  via_ = text::Cat(before, before.empty() ? "" : ", ", ViaVersion(head_.protocol), kViaName);
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
  if (!hash_.set_cookie.empty()) head_.fields.AppendView("Set-Cookie", hash_.set_cookie);
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
  http::RemoveConnectionFields(head_.fields);
  AddResponseFields();
  const UpstreamStream::BodyPiece first = upstream_->TryReadBody();
  if (first.malformed) co_return Refused(502, StatusMessage(502), "upstream-response");
  if (upstream_->out_of_room()) co_return Refused(503, StatusMessage(503), "buffered-bytes");

  exchange_.source = Source::kUpstream;
  exchange_.response = &head_;
  plugins_.OnResponse(exchange_, head_);
  if (worker_.options().config_version_header) AddConfigVersion(exchange_, head_);
  Verdict failure;
  bool passed = true;
  BodyPiece piece{.bytes = first.data, .last = first.end};
  if (exchange_.buffer_response && head_.framing.kind != Kind::kNone) {
    failure = co_await PassWhole(first);
    if (failure.has_value()) exchange_.source = Source::kGateway;
  } else {
    passed = co_await Pass(piece);
  }
  exchange_.response = nullptr;
  if (passed && !failure.has_value()) {
    NoteGrpcStatus();
    Recycle();
  }
  co_return failure;
}

// Head with the first piece, then piece by piece, never ahead of the client. False where it was cut short. `first` must
// live until then: a plugin's replacement is in it.
io::Task<bool> Forward::Pass(BodyPiece& first) {
  const bool end = first.last;
  const http::Fields* trailers = end ? Trailers() : nullptr;
  plugins_.OnResponseBody(exchange_, first);
  Downstream::Outgoing out{
      .head = &head_, .framing = ClientFraming(), .body = first.bytes, .last = end && trailers == nullptr};
  if (head_request_) {
    out.body = {};
    out.body_omitted = true;
  }
  exchange_.status = head_.status;
  if (out.framing.kind != Kind::kNone) exchange_.response_body_bytes += out.body.size();
  if (!out.last) return PassWithRest(out, trailers);
  return io::Then(downstream_.SendHead(out), [this](bool sent) { return Passed(sent); });
}

io::Task<bool> Forward::PassWithRest(Downstream::Outgoing out, const http::Fields* trailers) {
  bool sent = co_await downstream_.SendHead(out);
  if (sent && trailers != nullptr) {
    sent = co_await downstream_.SendTrailers(*trailers);
  } else if (sent) {
    sent = co_await PassRest();
  }
  co_return Passed(sent);
}

bool Forward::Passed(bool sent) {
  if (!sent && exchange_.reject_reason.empty()) Cut(downstream_.out_of_room() ? "buffered-bytes" : "client-gone");
  return sent;
}

// False where the client is gone, or the upstream failed and the response was cut.
io::Task<bool> Forward::PassRest() {
  io::Piped piped(worker_.pipes());
  const bool may_pipe = !plugins_.Has(kOnResponseBody) && downstream_.TakesPiped();
  for (;;) {
    const UpstreamStream::BodyPiece next = co_await ReadResponse(may_pipe ? &piped : nullptr);
    if (next.error != io::IoError::kNone) {
      std::string_view reason = next.error == io::IoError::kTimeout ? "upstream-timeout" : "upstream-truncated";
      if (upstream_->out_of_room()) reason = "buffered-bytes";
      Cut(client_gone_ ? "client-gone" : reason);
      co_return false;
    }
    if (next.malformed) {
      Cut("upstream-response");
      co_return false;
    }
    BodyPiece more{.bytes = next.data, .last = next.end};
    plugins_.OnResponseBody(exchange_, more);
    exchange_.response_body_bytes += more.bytes.size() + piped.bytes();
    bool sent;
    if (!piped.empty()) {
      sent = co_await downstream_.SendPiped(piped, next.end);
      if (!sent || next.end) co_return sent;
      continue;
    }
    if (next.end) {
      sent = co_await SendLast(more.bytes);
      co_return sent;
    }
    sent = co_await downstream_.SendBody(more.bytes, false);
    if (!sent) co_return false;
  }
}

// Trailers get past whatever looked at the head, so only gRPC's go on, which carry its status.
const http::Fields* Forward::Trailers() const {
  return IsGrpc(head_.fields.Get("content-type")) ? upstream_->trailers() : nullptr;
}

// It is in the trailers, or in the head where nothing else came.
void Forward::NoteGrpcStatus() {
  if (!IsGrpc(head_.fields.Get("content-type"))) return;
  const http::Fields* trailers = upstream_->trailers();
  const http::Fields& holder = trailers != nullptr && trailers->Has("grpc-status") ? *trailers : head_.fields;
  const std::string_view text = holder.Get("grpc-status");
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (error == std::errc() && end == text.data() + text.size() && status >= 0) exchange_.grpc_status = status;
}

io::Task<bool> Forward::SendLast(std::string_view data) {
  const http::Fields* trailers = Trailers();
  bool sent = true;
  if (trailers == nullptr) {
    sent = co_await downstream_.SendBody(data, true);
    co_return sent;
  }
  if (!data.empty()) sent = co_await downstream_.SendBody(data, false);
  if (sent) sent = co_await downstream_.SendTrailers(*trailers);
  co_return sent;
}

// The body is collected first, because a plugin wants it whole.
io::Task<Verdict> Forward::PassWhole(UpstreamStream::BodyPiece first) {
  limit::Buffered buffered;
  buffered.Begin(exchange_.gateway);
  std::string whole;
  UpstreamStream::BodyPiece piece = first;
  for (;;) {
    if (whole.size() + piece.data.size() > Exchange::kMaxBufferedResponse) {
      co_return Refused(502, StatusMessage(502), "response-too-large");
    }
    if (!buffered.Hold(whole.size() + piece.data.size()) || upstream_->out_of_room()) {
      co_return Refused(503, StatusMessage(503), "buffered-bytes");
    }
    whole.append(piece.data);
    if (piece.end) break;
    piece = co_await ReadResponse();
    if (client_gone_) {
      Cut("client-gone");
      co_return std::nullopt;
    }
    if (piece.error == io::IoError::kTimeout) co_return Refused(504, StatusMessage(504), "upstream-timeout");
    if (piece.error != io::IoError::kNone) co_return Refused(502, StatusMessage(502), "upstream-truncated");
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

io::Task<UpstreamStream::BodyPiece> Forward::ReadResponse(io::Piped* piped) {
  MonotonicTime deadline = worker_.loop().Now() + service_.read_timeout;
  for (;;) {
    const MonotonicTime look = NextLook(deadline);
    const UpstreamStream::BodyPiece piece = co_await upstream_->ReadBody(look, piped);
    if (piece.error != io::IoError::kTimeout || !KeepWaiting(deadline)) co_return piece;
  }
}

void Forward::Cut(std::string_view reason) {
  exchange_.reject_reason = reason;
  downstream_.Abort();
}

// Only a connection on which both messages were complete carries another.
void Forward::Recycle() {
  const bool request_whole = !pump_.started() || pump_.end() == RequestPump::End::kDone;
  if (!request_whole || (body_ == nullptr && !downstream_.body_done())) return;
  upstream_->Release();
}

}  // namespace sluice::proxy
