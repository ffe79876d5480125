// What follows a 101: bytes both ways, as they are, until one side ends. The third part of Forward.

#include <algorithm>

#include "data-plane/http/writer.h"
#include "data-plane/proxy/forward.h"
#include "data-plane/proxy/forward_fields.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

io::Task<Verdict> Forward::Tunnel() {
  exchange_.upstream_status = head_.status;
  http::RemoveConnectionFields(head_.fields);
  AddResponseFields();
  exchange_.source = Source::kUpstream;
  exchange_.response = &head_;
  plugins_.OnResponse(exchange_, head_);
  if (worker_.options().config_version_header) AddConfigVersion(exchange_, head_);
  upstream_->BecomeTunnel();
  exchange_.status = head_.status;
  const Downstream::Outgoing out{.head = &head_, .framing = {}, .body = {}, .tunnel = true};
  const bool sent = co_await downstream_.SendHead(out);
  if (sent) co_await CopyTunnel();
  exchange_.response = nullptr;
  upstream_->Abort();
  downstream_.Abort();
  co_return std::nullopt;
}

// A tunnel in which nothing moves in either direction for the service's read timeout is closed, as a silent upstream
// would be.
io::Task<void> Forward::CopyTunnel() {
  pump_.StartTunnel(*upstream_, service_.write_timeout);
  MonotonicTime moved = worker_.loop().Now();
  for (;;) {
    moved = std::max(moved, pump_.moved_at());
    const UpstreamStream::BodyPiece piece = co_await upstream_->ReadBody(moved + service_.read_timeout);
    if (piece.error == io::IoError::kTimeout && pump_.moved_at() > moved) continue;
    if (piece.error != io::IoError::kNone) co_return;
    moved = worker_.loop().Now();
    exchange_.response_body_bytes += piece.data.size();
    const bool end = piece.end;
    const bool sent = co_await downstream_.SendBody(piece.data, end);
    if (!sent) co_return;
    if (end) break;
  }
  co_await pump_.WaitForEnd(worker_.loop().Now() + worker_.times().linger);
}

}  // namespace sluice::proxy
