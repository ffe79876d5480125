#include "data-plane/proxy/http1_upstream.h"

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using Kind = http::Framing::Kind;

Http1Upstream::Http1Upstream(Worker& worker, std::unique_ptr<UpstreamConnection> connection)
    : worker_(worker),
      connection_(std::move(connection)),
      body_(connection_->reader, http::Framing{}),
      received_before_(connection_->reader.received()) {
  ++connection_->uses;
}

io::Task<io::IoError> Http1Upstream::SendHead(Outgoing out, Duration stall) {
  method_ = out.method;
  chunked_out_ = out.framing.kind == Kind::kChunked;
  std::string& bytes = worker_.out();
  bytes.clear();
  http::AppendRequestHead(bytes, out.method, out.target, out.authority, *out.fields, out.framing,
                          out.upgrade ? "upgrade" : "");
  if (chunked_out_) {
    http::AppendChunk(bytes, out.body);
    if (out.last) bytes.append(http::kLastChunk);
  } else {
    bytes.append(out.body);
  }
  return io::Then(io::WriteAll(*connection_->stream, bytes, stall), [](io::IoResult sent) { return sent.error; });
}

io::Task<io::IoError> Http1Upstream::SendBody(std::string_view data, bool last, Duration stall) {
  if (chunked_out_) {
    std::string& bytes = worker_.out();
    bytes.clear();
    http::AppendChunk(bytes, data);
    if (last) bytes.append(http::kLastChunk);
    data = bytes;
  }
  return io::Then(io::WriteAll(*connection_->stream, data, stall), [this, last](io::IoResult sent) {
    if (tunnel_ && last) connection_->stream->ShutdownWrite();
    return sent.error;
  });
}

io::Task<io::IoError> Http1Upstream::SendPiped(io::Piped& piped, Duration stall) {
  return io::Then(io::WriteAll(*connection_->stream, piped, stall), [](io::IoResult sent) { return sent.error; });
}

io::Task<UpstreamStream::HeadRead> Http1Upstream::ReadHead(http::ResponseHead& head, MonotonicTime deadline) {
  Reader& reader = connection_->reader;
  for (;;) {
    const size_t end = http::FindHeadEnd(reader.pending(), scanned_);
    if (end != 0) {
      head = http::ResponseHead();
      const http::ParseError wrong = http::ParseResponseHead(reader.pending().substr(0, end), method_, head);
      reader.Consume(end);
      scanned_ = 0;
      if (wrong) co_return HeadRead{io::IoError::kNone, true};
      body_.Restart(head.framing);
      keep_alive_ = head.keep_alive && head.framing.kind != Kind::kUntilClose;
      reader.Hold();
      co_return HeadRead{};
    }
    if (http::CheckIncompleteHead(reader.pending())) co_return HeadRead{io::IoError::kNone, true};
    const io::IoError error = co_await reader.Fill(deadline);
    if (error != io::IoError::kNone) co_return HeadRead{error, false};
  }
}

UpstreamStream::BodyPiece Http1Upstream::Take() {
  const BodyReader::Piece piece = body_.Take();
  return {.data = piece.data, .end = body_.done(), .malformed = piece.malformed};
}

// Bytes behind the body's end belong to no request of ours: such an answer is not to be trusted. Once its head has been
// passed on, all that can be done is not to use the connection again (Release).
UpstreamStream::BodyPiece Http1Upstream::TryReadBody() {
  BodyPiece piece = Take();
  if (body_.done() && !connection_->reader.pending().empty()) piece.malformed = true;
  return piece;
}

io::Task<UpstreamStream::BodyPiece> Http1Upstream::ReadBody(MonotonicTime deadline, io::Piped* piped) {
  for (;;) {
    BodyPiece piece = Take();
    if (piece.malformed || piece.end || !piece.data.empty()) co_return piece;
    const io::IoError error = co_await body_.Fill(deadline, piped);
    if (error == io::IoError::kEnd && body_.EndOfInput()) {
      ended_ = true;
      piece.end = true;
      co_return piece;
    }
    if (error != io::IoError::kNone) {
      piece.error = error;
      co_return piece;
    }
    if (piped != nullptr && !piped->empty()) {
      piece.end = body_.done();
      co_return piece;
    }
  }
}

void Http1Upstream::BecomeTunnel() {
  tunnel_ = true;
  keep_alive_ = false;
  chunked_out_ = false;
  body_.Restart({.kind = Kind::kUntilClose});
}

void Http1Upstream::Abort() {
  keep_alive_ = false;
  connection_->stream->ResetOnClose();
  connection_->stream->Cancel();
}

void Http1Upstream::Release() {
  if (!keep_alive_ || ended_ || !body_.done() || !connection_->reader.pending().empty()) return;
  worker_.pool().Give(std::move(connection_), worker_.Jitter());
}

}  // namespace sluice::proxy
