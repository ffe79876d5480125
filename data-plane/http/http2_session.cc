#include "data-plane/http/http2_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/check.h"
#include "data-plane/http/http2_callbacks.h"

namespace sluice::http {
namespace {

constexpr std::array<uint8_t, 8> kRoundTrip = {'g', 'o', 'i', 'n', 'g', 'a', 'w', 'y'};  // a PING of our own

// Messages are checked by Http2HeadBuilder and Http2Session alone, so nghttp2's own checks are off: two opinions of
// what is well-formed are one too many, and its drops fields that it does not like in silence.
nghttp2_session* MakeSession(Http2Session::Role role, Http2Session* self) {
  nghttp2_option* options = nullptr;
  SLUICE_CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_http_messaging(options, 1);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, kHttp2TableBytes);
  const Http2Callbacks::Table callbacks = Http2Callbacks::Make();
  nghttp2_session* session = nullptr;
  const bool server = role == Http2Session::Role::kServer;
  const int made = server ? nghttp2_session_server_new2(&session, callbacks.get(), self, options)
                          : nghttp2_session_client_new2(&session, callbacks.get(), self, options);
  nghttp2_option_del(options);
  SLUICE_CHECK(made == 0);
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kHttp2StreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeadBytes},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server ? kHttp2MaxStreams : 0},
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},  // said by clients alone
  }};
  SLUICE_CHECK(
      nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size() - (server ? 1 : 0)) == 0);
  SLUICE_CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kHttp2ConnectionWindow) == 0);
  return session;
}

}  // namespace

Http2Session::Http2Session(Role role, Http2Observer& observer)
    : role_(role), observer_(observer), meter_(role == Role::kServer ? kHttp2Preface.size() : 0) {
  session_ = MakeSession(role, this);
}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
  while (first_ != nullptr) delete std::exchange(first_, first_->next_);
}

Http2Stream& Http2Session::Add(Http2StreamObserver* observer) {
  auto* stream = new Http2Stream;
  stream->observer_ = observer;
  stream->next_ = first_;
  if (first_ != nullptr) first_->previous_ = stream;
  first_ = stream;
  ++streams_;
  return *stream;
}

Http2Stream* Http2Session::Find(int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

void Http2Session::Close(Http2Stream& stream, Http2Error error) {
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  (stream.previous_ != nullptr ? stream.previous_->next_ : first_) = stream.next_;
  --streams_;
  if (stream.unconsumed_ > 0) nghttp2_session_consume_connection(session_, stream.unconsumed_);
  if (stream.observer_ != nullptr) stream.observer_->OnClosed(error);
  delete &stream;
}

void Http2Session::Receive(std::string_view bytes, MonotonicTime now) {
  if (broken_ || flooded_) return;
  now_ = now;
  const size_t allowed = meter_.Scan(bytes, now);
  const ssize_t taken = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), allowed);
  if (taken >= 0 && meter_.out_of_order()) {
    Terminate(Http2Error::kProtocol);
  } else if (taken == NGHTTP2_ERR_FLOODED || (taken >= 0 && allowed < bytes.size())) {
    Flooded();
  } else if (taken < 0) {
    broken_ = true;
  }
}

void Http2Session::Flooded() {
  if (!flooded_) Terminate(Http2Error::kCalm);
  flooded_ = true;
}

void Http2Session::OnHeadersBegin(const nghttp2_frame& frame) {
  using Kind = Http2HeadBuilder::Kind;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) return builder_.Begin(Kind::kRequest);
  const Http2Stream* stream = Find(frame.hd.stream_id);
  const bool response = role_ == Role::kClient && (stream == nullptr || !stream->head_done_);
  builder_.Begin(response ? Kind::kResponse : Kind::kTrailers);
}

void Http2Session::OnFrame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      return OnHeadersEnd(frame);
    case NGHTTP2_DATA: {
      Http2Stream* stream = Find(frame.hd.stream_id);
      if (stream == nullptr) return;
      stream->bytes_received_ += 9;
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) OnMessageEnd(*stream, {});
      return;
    }
    case NGHTTP2_PING: {
      const bool ours = std::equal(kRoundTrip.begin(), kRoundTrip.end(), frame.ping.opaque_data);
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 && going_away_ && ours) FinishGoAway();
      return;
    }
    case NGHTTP2_GOAWAY:
      going_away_ = true;
      return observer_.OnGoAway();
    default:
      return;
  }
}

void Http2Session::OnHeadersEnd(const nghttp2_frame& frame) {
  const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    OnRequestHead(frame.hd.stream_id, end);
  } else if (Http2Stream* stream = Find(frame.hd.stream_id); stream != nullptr && stream->observer_ != nullptr) {
    if (role_ == Role::kClient && !stream->head_done_) {
      OnResponseHead(*stream, end);
    } else {
      OnTrailers(*stream, end);
    }
  }
  if (Http2Stream* stream = Find(frame.hd.stream_id)) stream->bytes_received_ += frame.hd.length + 9;
}

void Http2Session::OnRequestHead(int32_t id, bool end) {
  RequestHead head;
  ParseError refused;
  const BlockVerdict verdict = builder_.Request(end, head, refused);
  if (verdict == BlockVerdict::kMalformed) return SubmitReset(id, Http2Error::kProtocol);
  Http2Stream& stream = Add(nullptr);
  stream.id_ = id;
  stream.received_end_ = end;
  stream.has_length_ = head.framing.kind == Framing::Kind::kLength;
  stream.length_left_ = head.framing.length;
  nghttp2_session_set_stream_user_data(session_, id, &stream);
  stream.observer_ = observer_.OnRequest(stream, std::move(head), refused);
  if (stream.observer_ != nullptr) return;
  ++refused_;
  SubmitReset(id, Http2Error::kRefused);
}

// A stream too many: refused, or the end of the connection where the client knew better.
void Http2Session::OnFrameRefused(const nghttp2_frame& frame, int why) {
  if (frame.hd.type != NGHTTP2_HEADERS || role_ != Role::kServer) return;
  if (why == NGHTTP2_ERR_REFUSED_STREAM || streams_ >= kHttp2MaxStreams) ++refused_;
}

void Http2Session::OnResponseHead(Http2Stream& stream, bool end) {
  ResponseHead head;
  if (builder_.Response(end, stream.expects_body_, head) == BlockVerdict::kMalformed) {
    return Reset(stream, Http2Error::kProtocol);
  }
  stream.head_done_ = head.status >= 200;
  if (stream.head_done_) {
    stream.has_length_ = head.framing.kind == Framing::Kind::kLength;
    stream.length_left_ = head.framing.length;
  }
  stream.observer_->OnResponse(std::move(head), end);
  if (end && stream.observer_ != nullptr) OnMessageEnd(stream, {});
}

void Http2Session::OnTrailers(Http2Stream& stream, bool end) {
  Fields trailers;
  if (!end || builder_.Trailers(trailers) == BlockVerdict::kMalformed) return Reset(stream, Http2Error::kProtocol);
  OnMessageEnd(stream, std::move(trailers));
}

void Http2Session::OnMessageEnd(Http2Stream& stream, Fields trailers) {
  stream.received_end_ = true;
  if (stream.observer_ == nullptr) return;
  if (stream.has_length_ && stream.length_left_ > 0) return Reset(stream, Http2Error::kProtocol);
  stream.observer_->OnEnd(std::move(trailers));
}

void Http2Session::OnData(int32_t id, std::string_view data) {
  Http2Stream* stream = Find(id);
  if (stream == nullptr || stream->observer_ == nullptr) {
    nghttp2_session_consume_connection(session_, data.size());
    return;
  }
  stream->bytes_received_ += data.size();
  stream->unconsumed_ += data.size();
  const bool too_much = stream->has_length_ && data.size() > stream->length_left_;
  const bool too_early = role_ == Role::kClient && !stream->head_done_;
  if (too_much || too_early) return Reset(*stream, Http2Error::kProtocol);
  if (stream->has_length_) stream->length_left_ -= data.size();
  stream->observer_->OnData(data);
}

void Http2Session::OnStreamClosed(int32_t id, uint32_t error) {
  if (Http2Stream* stream = Find(id)) Close(*stream, static_cast<Http2Error>(error));
}

void Http2Session::OnRequestNotSent(int32_t id) {
  if (Find(id) != nullptr) return;  // its stream was opened, and OnStreamClosed follows
  for (Http2Stream* stream = first_; stream != nullptr; stream = stream->next_) {
    if (stream->id_ == id) return Close(*stream, Http2Error::kRefused);
  }
}

void Http2Session::Consume(Http2Stream& stream, size_t bytes) {
  bytes = std::min(bytes, stream.unconsumed_);
  if (bytes == 0) return;
  stream.unconsumed_ -= bytes;
  nghttp2_session_consume(session_, stream.id_, bytes);
}

void Http2Session::SubmitReset(int32_t id, Http2Error error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, static_cast<uint32_t>(error));
}

void Http2Session::Reset(Http2Stream& stream, Http2Error error) {
  Http2StreamObserver* const observer = stream.observer_;
  stream.observer_ = nullptr;
  stream.out_ = {};
  SubmitReset(stream.id_, error);
  if (observer != nullptr) observer->OnClosed(error);
}

void Http2Session::Detach(Http2Stream& stream) {
  if (stream.observer_ == nullptr) return;
  stream.observer_ = nullptr;
  stream.out_ = {};
  const bool complete = stream.received_end_ && stream.sent_end_;
  if (!complete) SubmitReset(stream.id_, stream.sent_end_ ? Http2Error::kNone : Http2Error::kInternal);
}

void Http2Session::Ping() {
  if (!broken_) nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::BeginGoAway() {
  if (going_away_ || broken_) return;
  going_away_ = true;
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kRoundTrip.data());
}

void Http2Session::FinishGoAway() {
  if (goaway_finished_ || broken_) return;
  going_away_ = goaway_finished_ = true;
  const int32_t last = nghttp2_session_get_last_proc_stream_id(session_);
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
}

void Http2Session::Terminate(Http2Error error) {
  going_away_ = true;
  if (!broken_) nghttp2_session_terminate_session(session_, static_cast<uint32_t>(error));
}

void Http2Session::CloseStreams(Http2Error error) {
  broken_ = true;
  for (Http2Stream* stream = first_; stream != nullptr; stream = stream->next_) {
    Http2StreamObserver* const observer = std::exchange(stream->observer_, nullptr);
    if (observer != nullptr) observer->OnClosed(error);
  }
}

bool Http2Session::deaf() const {
  return broken_ || flooded_ || nghttp2_session_want_read(session_) == 0;
}

bool Http2Session::finished() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

}  // namespace sluice::http
