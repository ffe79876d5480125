#include "data-plane/proxy/http1_downstream.h"

#include <algorithm>

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using Kind = http::Framing::Kind;

Http1Downstream::Http1Downstream(Worker& worker, io::Stream& stream, Reader& reader, bool may_keep,
                                 uint64_t received_before)
    : worker_(worker),
      stream_(stream),
      reader_(reader),
      body_(reader, http::Framing{}),
      floor_(worker.times().body_rate_window),
      received_before_(received_before),
      keep_(may_keep) {}

void Http1Downstream::Begin(const http::RequestHead& request) {
  framing_ = request.framing;
  body_.Restart(request.framing);
  protocol_ = request.protocol;
  asked_to_keep_ = request.keep_alive;
  awaits_continue_ = request.expect_continue && request.protocol != http::Protocol::kHttp10;
  reader_.Hold();
}

BodyRead Http1Downstream::TryReadBody() {
  const BodyReader::Piece piece = body_.Take();
  if (piece.malformed) return Broken(BodyError::kMalformed);
  if (max_body_ != 0 && body_.decoded() > max_body_) return Broken(BodyError::kTooLarge);
  return {.data = piece.data, .end = body_.done(), .error = BodyError::kNone};
}

// Such a body's end cannot be waited for.
BodyRead Http1Downstream::Broken(BodyError error) {
  broken_ = true;
  return {.data = {}, .end = false, .error = error};
}

io::Task<BodyRead> Http1Downstream::ReadTunnel() {
  BodyRead got = TryReadBody();
  if (!got.data.empty()) co_return got;
  const io::IoError error = co_await reader_.Fill(io::kNever);
  if (error == io::IoError::kEnd) co_return BodyRead{.data = {}, .end = true, .error = BodyError::kNone};
  if (error != io::IoError::kNone) co_return BodyRead{.data = {}, .end = false, .error = BodyError::kGone};
  got = TryReadBody();
  co_return got;
}

io::Task<BodyRead> Http1Downstream::ReadBody(io::Piped* piped) {
  if (tunnel_) {
    BodyRead raw = co_await ReadTunnel();
    co_return raw;
  }
  for (;;) {
    BodyRead got = TryReadBody();
    if (got.error != BodyError::kNone || got.end || !got.data.empty()) co_return got;
    if (awaits_continue_) {
      const bool sent = co_await SendContinue();
      if (!sent) co_return Broken(BodyError::kGone);
    }
    const MonotonicTime before = worker_.loop().Now();
    const uint64_t received = reader_.received();
    const MonotonicTime deadline = floor_.Deadline(before);
    const io::IoError error = co_await body_.Fill(deadline, piped);
    floor_.Count(reader_.received() - received, worker_.loop().Now() - before);
    if (error == io::IoError::kTimeout || (error == io::IoError::kNone && floor_.TooSlow())) {
      co_return Broken(BodyError::kTooSlow);
    }
    if (error != io::IoError::kNone) co_return Broken(BodyError::kGone);
    if (piped != nullptr && !piped->empty()) co_return BodyRead{.data = {}, .end = body_.done()};
  }
}

// An end can only be seen behind what was sent before it: requests that follow are read ahead, up to one head's size.
bool Http1Downstream::Gone() {
  if (reader_.pending().size() >= http::kMaxHeadBytes) return false;
  const io::IoError error = reader_.TryFill();
  return error != io::IoError::kNone && error != io::IoError::kWouldBlock;
}

io::Task<bool> Http1Downstream::SendContinue() {
  awaits_continue_ = false;
  if (head_sent_) return true;
  return Write("HTTP/1.1 100 Continue\r\n\r\n");
}

bool Http1Downstream::DrainIsShort() const {
  if (body_.done()) return true;
  if (broken_ || awaits_continue_ || framing_.kind != Kind::kLength) return false;
  return framing_.length - body_.decoded() <= kMaxDrainBytes;
}

io::Task<bool> Http1Downstream::SendInterim(const http::ResponseHead& head) {
  if (protocol_ == http::Protocol::kHttp10 || head_sent_) return true;
  std::string& bytes = worker_.out();
  bytes.clear();
  http::AppendResponseHead(bytes, head.status, head.reason, head.fields, http::Framing{});
  return Write(bytes);
}

io::Task<bool> Http1Downstream::SendHead(Outgoing out) {
  http::Framing framing = out.framing;
  if (out.tunnel) {
    tunnel_ = true;
    keep_ = false;
    max_body_ = 0;
    body_.Restart({.kind = Kind::kUntilClose});
  }
  if (framing.kind == Kind::kUntilClose || framing.kind == Kind::kChunked) {
    framing.kind = protocol_ == http::Protocol::kHttp10 ? Kind::kUntilClose : Kind::kChunked;
  }
  // Of an answer that came without a body and without saying so, as by HTTP/2.
  const bool nothing = framing.kind == Kind::kNone && out.last && !out.body_omitted;
  if (nothing && out.head->status != 204 && out.head->status != 304) framing = {.kind = Kind::kLength, .length = 0};
  if (framing.kind == Kind::kUntilClose && !out.last) asked_to_keep_ = false;
  keep_ = keep_ && asked_to_keep_ && !worker_.draining() && DrainIsShort();
  chunked_out_ = framing.kind == Kind::kChunked;
  const bool upgrade_required = out.head->status == 426;
  std::string_view connection;
  if (out.tunnel) {
    connection = "upgrade";
  } else if (upgrade_required) {
    connection = keep_ ? "keep-alive, Upgrade" : "close, Upgrade";
  } else if (!keep_) {
    connection = "close";
  } else if (protocol_ == http::Protocol::kHttp10) {
    connection = "keep-alive";
  }
  head_sent_ = true;
  std::string& bytes = worker_.out();
  bytes.clear();
  http::AppendResponseHead(bytes, out.head->status, out.head->reason, out.head->fields, framing, connection);
  if (upgrade_required) {
    const std::string_view to = out.head->fields.Get("upgrade");
    bytes.insert(bytes.size() - 2, text::Cat("Upgrade: ", to.empty() ? "TLS/1.2, HTTP/1.1" : to, "\r\n"));
  }
  if (!out.body.empty()) {
    if (chunked_out_) {
      http::AppendChunk(bytes, out.body);
    } else {
      bytes.append(out.body);
    }
  }
  if (out.last && chunked_out_ && !out.body_omitted) bytes.append(http::kLastChunk);
  return io::Then(Write(bytes), [this, last = out.last](bool sent) {
    complete_ = sent && last;
    return sent;
  });
}

io::Task<bool> Http1Downstream::SendBody(std::string_view data, bool last) {
  if (chunked_out_) {
    std::string& bytes = worker_.out();
    bytes.clear();
    if (!data.empty()) http::AppendChunk(bytes, data);
    if (last) bytes.append(http::kLastChunk);
    data = bytes;
  }
  return io::Then(Write(data), [this, last](bool sent) {
    if (tunnel_ && last) stream_.ShutdownWrite();
    complete_ = sent && last;
    return sent;
  });
}

io::Task<bool> Http1Downstream::SendPiped(io::Piped& piped, bool last) {
  return io::Then(io::WriteAll(stream_, piped, worker_.times().write_stall), [this, last](io::IoResult result) {
    const bool sent = Wrote(result);
    complete_ = sent && last;
    return sent;
  });
}

// Nobody who speaks HTTP/1.1 waits for trailers that a client must ask for, and most lose them.
io::Task<bool> Http1Downstream::SendTrailers(const http::Fields&) {
  return SendBody({}, true);
}

io::Task<bool> Http1Downstream::Write(std::string_view bytes) {
  return io::Then(io::WriteAll(stream_, bytes, worker_.times().write_stall),
                  [this](io::IoResult result) { return Wrote(result); });
}

bool Http1Downstream::Wrote(io::IoResult result) {
  sent_ += result.bytes;
  if (result.error == io::IoError::kTimeout) ++worker_.stats().writes_stalled;
  return result.ok();
}

void Http1Downstream::Abort() {
  keep_ = false;
  if (!complete_) stream_.ResetOnClose();
  stream_.Cancel();
}

void Http1Downstream::EndAfterResponse() {
  if (!keep_) stream_.ShutdownWrite();
}

io::Task<bool> Http1Downstream::Finish() {
  if (!complete_ || !keep_) return false;
  if (!body_.done()) return Drain();
  reader_.Hold();
  return true;
}

io::Task<bool> Http1Downstream::Drain() {
  const MonotonicTime deadline = worker_.loop().Now() + worker_.times().drain_body;
  while (!body_.done()) {
    BodyRead got = TryReadBody();
    if (got.error != BodyError::kNone) co_return false;
    if (got.end) break;
    const io::IoError error = co_await reader_.Fill(deadline);
    if (error != io::IoError::kNone) co_return false;
  }
  reader_.Hold();
  co_return true;
}

}  // namespace sluice::proxy
