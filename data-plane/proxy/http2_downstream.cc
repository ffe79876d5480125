#include "data-plane/proxy/http2_downstream.h"

#include "data-plane/proxy/http2_connection.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using http::Http2Error;
using Kind = http::Framing::Kind;

Http2Downstream::Http2Downstream(Worker& worker, Http2Connection& connection, http::Http2Stream& stream,
                                 const http::RequestHead& request)
    : worker_(worker),
      connection_(connection),
      stream_(&stream),
      news_(worker.loop()),
      progress_(worker.loop()),
      floor_(worker.times().body_rate_window),
      ended_(stream.received_end()),
      awaits_continue_(request.expect_continue) {}

void Http2Downstream::Finish() {
  if (stream_ == nullptr) return;
  http::Http2Stream& stream = *stream_;
  OnClosed(Http2Error::kNone);
  connection_.session().Detach(stream);
  connection_.Flush();
}

bool Http2Downstream::CountBuffered(const std::shared_ptr<const Gateway>& gateway) {
  return arriving_.Begin(gateway) && leaving_.Begin(gateway);
}

// Without room for it, it is dropped, and its window never opens again.
void Http2Downstream::OnData(std::string_view data) {
  arrived_ += data.size();
  news_.Set();
  if (out_of_room_ || !arriving_.Hold(arriving_.bytes() + data.size())) {
    out_of_room_ = true;
  } else {
    in_.append(data);
  }
}

// Of the trailers nothing is passed on.
void Http2Downstream::OnEnd(http::Fields) {
  ended_ = true;
  news_.Set();
}

void Http2Downstream::OnSent() {
  all_sent_ = true;
  progress_.Set();
}

void Http2Downstream::OnClosed(Http2Error) {
  received_ = stream_->bytes_received();
  sent_ = stream_->bytes_sent();
  stream_ = nullptr;
  news_.Set();
  progress_.Set();
}

// What was handed out has been used: the client may send as much again.
void Http2Downstream::PassedOn() {
  if (piece_.empty()) return;
  if (stream_ != nullptr) {
    connection_.session().Consume(*stream_, piece_.size());
    connection_.Flush();
  }
  piece_.clear();
  arriving_.Hold(in_.size());
}

BodyRead Http2Downstream::TryReadBody() {
  PassedOn();
  if (stream_ == nullptr && !head_sent_) return {.data = {}, .end = false, .error = BodyError::kGone};
  if (stream_ == nullptr && !ended_) return {.data = {}, .end = false, .error = BodyError::kGone};
  if (out_of_room_) return {.data = {}, .end = false, .error = BodyError::kNoRoom};
  piece_.swap(in_);
  handed_out_ += piece_.size();
  if (max_body_ != 0 && handed_out_ > max_body_) return {.data = {}, .end = false, .error = BodyError::kTooLarge};
  return {.data = piece_, .end = ended_, .error = BodyError::kNone};
}

io::Task<BodyRead> Http2Downstream::ReadBody(io::Piped*) {
  for (;;) {
    BodyRead got = TryReadBody();
    if (got.error != BodyError::kNone || got.end || !got.data.empty()) co_return got;
    if (awaits_continue_) {
      http::ResponseHead head;
      head.status = 100;
      co_await SendInterim(head);
    }
    const MonotonicTime before = worker_.loop().Now();
    const uint64_t arrived = arrived_;
    const MonotonicTime deadline = may_pause_ ? io::kNever : floor_.Deadline(before);
    news_.Reset();
    const bool woken = co_await news_.Wait(deadline);
    floor_.Count(arrived_ - arrived, worker_.loop().Now() - before);
    if (stream_ == nullptr || ended_ || may_pause_) continue;
    if (!woken || floor_.TooSlow()) co_return BodyRead{.data = {}, .end = false, .error = BodyError::kTooSlow};
  }
}

io::Task<bool> Http2Downstream::SendInterim(const http::ResponseHead& head) {
  if (head.status == 100) awaits_continue_ = false;
  if (stream_ == nullptr) co_return false;
  if (!head_sent_) connection_.session().RespondInterim(*stream_, head);
  connection_.Flush();
  co_return true;
}

io::Task<bool> Http2Downstream::SendHead(Outgoing out) {
  if (stream_ == nullptr) co_return false;
  head_sent_ = true;
  connection_.session().Respond(*stream_, *out.head, out.framing, out.last && out.body.empty());
  if (out.body.empty()) {
    connection_.Flush();
    co_return true;
  }
  const bool sent = co_await Give(out.body, out.last, nullptr);
  co_return sent;
}

io::Task<bool> Http2Downstream::SendBody(std::string_view data, bool last) {
  if (data.empty() && !last) co_return stream_ != nullptr;
  const bool sent = co_await Give(data, last, nullptr);
  co_return sent;
}

io::Task<bool> Http2Downstream::SendTrailers(const http::Fields& trailers) {
  const bool sent = co_await Give({}, true, &trailers);
  co_return sent;
}

io::Task<bool> Http2Downstream::Give(std::string_view data, bool last, const http::Fields* trailers) {
  if (stream_ == nullptr) co_return false;
  all_sent_ = false;
  connection_.session().Send(*stream_, data, last, trailers);
  connection_.Flush();
  if (all_sent_) co_return true;
  if (stream_ == nullptr) co_return false;
  if (!leaving_.Hold(stream_->unsent().size())) {
    out_of_room_ = true;
    Abort();
    co_return false;
  }
  kept_.assign(stream_->unsent());
  stream_->MoveUnsent(kept_);
  const bool sent = co_await WaitUntilSent();
  leaving_.Hold(0);
  co_return sent;
}

// The stream's or the connection's window, or the connection's output, has no room. A window that opens a byte at a
// time is no progress; only messages may go as slowly as both ends like, while they go.
io::Task<bool> Http2Downstream::WaitUntilSent() {
  const size_t progress = may_pause_ ? 1 : kMinWriteProgress;
  for (;;) {
    const size_t left = stream_->unsent().size();
    progress_.Reset();
    co_await progress_.Wait(worker_.loop().Now() + worker_.times().write_stall);
    if (all_sent_) co_return true;
    if (stream_ == nullptr) co_return false;
    if (left - stream_->unsent().size() < progress) {
      ++worker_.stats().writes_stalled;
      connection_.session().Reset(*stream_, Http2Error::kCancel);
      connection_.Flush();
      co_return false;
    }
  }
}

void Http2Downstream::Abort() {
  if (stream_ == nullptr) return;
  const bool complete = stream_->sent_end();
  connection_.session().Reset(*stream_, complete ? Http2Error::kNone : Http2Error::kInternal);
  connection_.Flush();
}

// Nobody wants the rest of the request: RFC 9113 section 8.1.
void Http2Downstream::EndAfterResponse() {
  if (stream_ != nullptr && stream_->sent_end()) Finish();
}

}  // namespace sluice::proxy
