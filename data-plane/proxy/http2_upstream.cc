#include "data-plane/proxy/http2_upstream.h"

#include "data-plane/proxy/grpc.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using http::Http2Error;

Http2Upstream::Http2Upstream(Worker& worker, std::shared_ptr<Http2UpstreamConnection> connection,
                             const std::shared_ptr<const Gateway>& gateway)
    : worker_(worker), connection_(std::move(connection)), news_(worker.loop()), sent_(worker.loop()) {
  connection_->Reserve();
  arriving_.Begin(gateway);
  leaving_.Begin(gateway);
}

Http2Upstream::~Http2Upstream() {
  if (stream_ != nullptr) {
    http::Http2Session& session = connection_->session();
    if (stream_->received_end() && stream_->sent_end()) {
      session.Detach(*stream_);
    } else {
      session.Reset(*stream_, Http2Error::kCancel);
    }
  }
  connection_->Leave(asked_);
}

io::Task<io::IoError> Http2Upstream::SendHead(Outgoing out, Duration stall) {
  const bool end = out.last && out.body.empty();
  asked_ = true;
  stream_ = connection_->Ask({.method = out.method,
                              .scheme = out.scheme,
                              .authority = out.authority,
                              .path = out.target,
                              .fields = out.fields,
                              .framing = out.framing,
                              .end = end,
                              .takes_trailers = IsGrpc(out.fields->Get("content-type"))},
                             *this);
  if (stream_ == nullptr) {
    closed_ = refused_ = true;
    co_return io::IoError::kReset;
  }
  if (end) {
    connection_->Flush();
    co_return io::IoError::kNone;
  }
  const io::IoError error = co_await SendBody(out.body, out.last, stall);
  co_return error;
}

io::Task<io::IoError> Http2Upstream::SendBody(std::string_view data, bool last, Duration stall) {
  if (stream_ == nullptr) co_return io::IoError::kReset;
  sent_.Reset();
  if (!data.empty() || last) connection_->session().Send(*stream_, data, last);
  connection_->Flush();
  if (stream_ == nullptr) co_return io::IoError::kReset;
  if (data.empty() || stream_->unsent().empty()) co_return io::IoError::kNone;
  if (!leaving_.Hold(stream_->unsent().size())) {
    out_of_room_ = true;
    connection_->session().Reset(*stream_, Http2Error::kCancel);
    connection_->Flush();
    co_return io::IoError::kReset;
  }
  unsent_.assign(stream_->unsent());
  stream_->MoveUnsent(unsent_);
  const io::IoError error = co_await WaitUntilSent(stall);
  unsent_.clear();
  leaving_.Hold(0);
  co_return error;
}

// The time counts from the last byte that went.
io::Task<io::IoError> Http2Upstream::WaitUntilSent(Duration stall) {
  for (;;) {
    const size_t before = stream_->unsent().size();
    const bool sent = co_await sent_.Wait(worker_.loop().Now() + stall);
    if (stream_ == nullptr) co_return io::IoError::kReset;
    if (sent) co_return io::IoError::kNone;
    if (stream_->unsent().size() == before) co_return io::IoError::kTimeout;
  }
}

io::Task<UpstreamStream::HeadRead> Http2Upstream::ReadHead(http::ResponseHead& head, MonotonicTime deadline) {
  for (;;) {
    if (!heads_.empty()) {
      head = std::move(heads_.front());
      heads_.pop_front();
      co_return HeadRead{};
    }
    if (malformed_) co_return HeadRead{io::IoError::kNone, true};
    if (closed_) co_return HeadRead{io::IoError::kReset, false};
    news_.Reset();
    const bool news = co_await news_.Wait(deadline);
    if (!news) co_return HeadRead{io::IoError::kTimeout, false};
  }
}

// What was given out before has been passed on by now: only then the upstream may send as much again.
UpstreamStream::BodyPiece Http2Upstream::TryReadBody() {
  if (!given_.empty() && stream_ != nullptr) {
    connection_->session().Consume(*stream_, given_.size());
    connection_->Flush();
  }
  given_.clear();
  given_.swap(arrived_);
  arriving_.Hold(given_.size());
  return {.data = given_, .end = ended_, .malformed = malformed_ && given_.empty()};
}

io::Task<UpstreamStream::BodyPiece> Http2Upstream::ReadBody(MonotonicTime deadline, io::Piped*) {
  for (;;) {
    BodyPiece piece = TryReadBody();
    if (piece.malformed || piece.end || !piece.data.empty()) co_return piece;
    if (closed_) {
      piece.error = io::IoError::kReset;
      co_return piece;
    }
    news_.Reset();
    const bool news = co_await news_.Wait(deadline);
    if (!news) {
      piece.error = io::IoError::kTimeout;
      co_return piece;
    }
  }
}

void Http2Upstream::Abort() {
  if (stream_ == nullptr) return;
  connection_->session().Reset(*stream_, Http2Error::kCancel);
  connection_->Flush();
}

void Http2Upstream::OnResponse(http::ResponseHead head, bool /*end*/) {
  answered_ = true;
  // Who reads gives up at the last of these: more need not be kept.
  if (heads_.size() <= kMaxInterimResponses) heads_.push_back(std::move(head));
  news_.Set();
}

void Http2Upstream::OnData(std::string_view data) {
  if (!arriving_.Hold(arriving_.bytes() + data.size())) {
    out_of_room_ = true;
    return connection_->session().Reset(*stream_, Http2Error::kCancel);
  }
  arrived_.append(data);
  news_.Set();
}

void Http2Upstream::OnEnd(http::Fields trailers) {
  trailers_ = std::move(trailers);
  ended_ = true;
  news_.Set();
}

void Http2Upstream::OnSent() {
  sent_.Set();
}

void Http2Upstream::OnClosed(Http2Error error) {
  stream_ = nullptr;
  closed_ = true;
  if (!ended_ && !connection_->lost()) {
    refused_ = error == Http2Error::kRefused && !answered_;
    malformed_ = error == Http2Error::kProtocol;
    if (!refused_) answered_ = true;
  }
  news_.Set();
  sent_.Set();
}

}  // namespace sluice::proxy
