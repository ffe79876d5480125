// The outgoing half of Http2Session.

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "common/base/check.h"
#include "data-plane/http/http2_callbacks.h"
#include "data-plane/http/http2_session.h"
#include "data-plane/http/syntax.h"
#include "data-plane/http/writer.h"

namespace sluice::http {
namespace {

constexpr size_t kFrameHead = 9;

// A header block on its way into nghttp2, which copies it and lowers the names. As a last barrier, no control byte
// leaves here.
class Block {
 public:
  explicit Block(size_t fields) { list_.reserve(fields + 6); }

  void Add(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    nghttp2_nv field;
    field.name = Bytes(name);
    field.namelen = name.size();
    field.value = Bytes(value);
    field.valuelen = value.size();
    field.flags = flags;
    list_.push_back(field);
  }
  void AddFields(const Fields& fields, bool without_host) {
    for (const Field& field : fields) {
      if (IsConnectionField(field.name) || !IsToken(field.name)) continue;
      if (without_host && EqualsIgnoreCase(field.name, "host")) continue;
      Add(field.name, Clean(field.value));
    }
  }
  void AddNumber(std::string_view name, uint64_t number) {
    char* const end = std::to_chars(number_, number_ + sizeof number_, number).ptr;
    Add(name, {number_, static_cast<size_t>(end - number_)});
  }
  const nghttp2_nv* data() const { return list_.data(); }
  size_t size() const { return list_.size(); }

 private:
  static uint8_t* Bytes(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 only reads it
  }
  std::string_view Clean(std::string_view value) {
    value = syntax::TrimBlanks(value);
    if (!syntax::HasControl(value)) [[likely]]
      return value;
    auto& copy = *cleaned_.emplace_back(std::make_unique<std::string>(value));
    for (char& c : copy) {
      if (syntax::Is(c, syntax::kControl)) c = ' ';
    }
    return copy;
  }

  std::vector<nghttp2_nv> list_;
  std::vector<std::unique_ptr<std::string>> cleaned_;
  char number_[24];
};

// Three digits.
struct StatusText {
  explicit StatusText(int status)
      : digits{static_cast<char>('0' + status / 100 % 10), static_cast<char>('0' + status / 10 % 10),
               static_cast<char>('0' + status % 10)} {}
  std::string_view view() const { return {digits, sizeof digits}; }
  char digits[3];
};

}  // namespace

void Http2Session::Respond(Http2Stream& stream, const ResponseHead& head, Framing framing, bool end) {
  const StatusText status(head.status);
  Block block(head.fields.size());
  block.Add(":status", status.view());
  block.AddFields(head.fields, false);
  if (framing.kind == Framing::Kind::kLength) block.AddNumber("content-length", framing.length);
  const nghttp2_data_provider source = Http2Callbacks::Source(stream);
  stream.sent_end_ = end;
  nghttp2_submit_response(session_, stream.id_, block.data(), block.size(), end ? nullptr : &source);
}

void Http2Session::RespondInterim(Http2Stream& stream, const ResponseHead& head) {
  const StatusText status(head.status);
  Block block(head.fields.size());
  block.Add(":status", status.view());
  block.AddFields(head.fields, false);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr, block.data(), block.size(), nullptr);
}

size_t Http2Session::capacity() const {
  if (broken_ || going_away_ || nghttp2_session_check_request_allowed(session_) == 0) return 0;
  const size_t max = nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  const size_t bound = std::min<size_t>(max, kHttp2MaxStreams);
  return bound > streams_ ? bound - streams_ : 0;
}

Http2Stream* Http2Session::Ask(const Request& request, Http2StreamObserver& observer) {
  if (capacity() == 0) return nullptr;
  Block block(request.fields->size());
  block.Add(":method", request.method);
  block.Add(":scheme", request.scheme);
  block.Add(":authority", request.authority);
  block.Add(":path", request.path);
  block.AddFields(*request.fields, true);
  if (request.framing.kind == Framing::Kind::kLength) block.AddNumber("content-length", request.framing.length);
  if (request.takes_trailers) block.Add("te", "trailers");
  Http2Stream& stream = Add(&observer);
  stream.expects_body_ = request.method != "HEAD";
  stream.sent_end_ = request.end;
  const nghttp2_data_provider source = Http2Callbacks::Source(stream);
  const nghttp2_data_provider* const body = request.end ? nullptr : &source;
  stream.id_ = nghttp2_submit_request(session_, nullptr, block.data(), block.size(), body, &stream);
  if (stream.id_ > 0) return &stream;
  stream.observer_ = nullptr;
  Close(stream, Http2Error::kInternal);
  return nullptr;
}

void Http2Session::Send(Http2Stream& stream, std::string_view data, bool end, const Fields* trailers) {
  SLUICE_CHECK(stream.out_.empty() && !stream.out_end_);
  stream.out_ = data;
  stream.out_end_ = end;
  stream.trailers_ = trailers != nullptr && trailers->size() > 0 ? trailers : nullptr;
  if (!stream.deferred_) return;
  stream.deferred_ = false;
  nghttp2_session_resume_data(session_, stream.id_);
}

void Http2Session::Pull(std::string& out, size_t max, MonotonicTime now) {
  if (broken_) return;
  now_ = now;
  out_ = &out;
  max_out_ = max;
  while (out.size() < max) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) broken_ = true;
    if (size > 0) out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    if (too_many_resets_ && !flooded_) {
      Flooded();
      continue;
    }
    if (size <= 0) break;
  }
  out_ = nullptr;
}

// How much of the body the next DATA frame takes; nothing is copied before WriteData.
long Http2Session::ReadSource(Http2Stream& stream, size_t max, uint32_t& flags) {
  const size_t size = std::min(max, stream.out_.size());
  if (size == 0 && !stream.out_end_) {
    stream.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  if (size == stream.out_.size() && stream.out_end_) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.trailers_ != nullptr) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      Block block(stream.trailers_->size());
      block.AddFields(*stream.trailers_, false);
      nghttp2_submit_trailer(session_, stream.id_, block.data(), block.size());
    }
  }
  if (size > 0) {
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  } else {
    Written(stream);
  }
  return static_cast<long>(size);
}

int Http2Session::WriteData(Http2Stream& stream, std::string_view frame_head, size_t size) {
  if (out_->size() >= max_out_) return NGHTTP2_ERR_WOULDBLOCK;
  if (stream.out_.size() < size) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // it was reset meanwhile
  out_->append(frame_head);
  out_->append(stream.out_.substr(0, size));
  stream.out_.remove_prefix(size);
  const bool end = stream.out_.empty() && stream.out_end_;
  meter_.NoteDataSent(size, end);
  if (stream.out_.empty()) Written(stream);
  return 0;
}

void Http2Session::Written(Http2Stream& stream) {
  if (stream.out_end_) stream.sent_end_ = true;
  if (stream.observer_ != nullptr) stream.observer_->OnSent();
}

void Http2Session::OnFrameSent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) {
    if (Http2Stream* stream = Find(frame.hd.stream_id)) stream->bytes_sent_ += frame.hd.length + kFrameHead;
    return;
  }
  if (frame.hd.type != NGHTTP2_RST_STREAM) return;
  // What we end for reasons of our own is not held against the peer.
  const auto error = static_cast<Http2Error>(frame.rst_stream.error_code);
  if (error == Http2Error::kNone || error == Http2Error::kInternal || error == Http2Error::kCancel) return;
  if (!meter_.TakeReset(now_)) too_many_resets_ = true;
}

}  // namespace sluice::http
