#pragma once

// One HTTP/2 connection (RFC 9113), either side of it, around nghttp2: bytes in, bytes out, heads, bodies and trailers
// to observers. No I/O and no clock of its own, so that tests and fuzzers drive it with literal frames. Owned by a
// connection; its worker's thread only.
//
// Receive calls observers, which may call anything here but Receive and Pull. Windows open again only as far as Consume
// says, so that what a peer may have outstanding is what the owner has room for.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "data-plane/http/head.h"
#include "data-plane/http/http2_head.h"
#include "data-plane/http/http2_meter.h"
#include "data-plane/http/parser.h"
#include "nghttp2/nghttp2.h"

namespace sluice::http {

inline constexpr uint32_t kHttp2MaxStreams = 100;
inline constexpr uint32_t kHttp2StreamWindow = 64 * 1024;
inline constexpr uint32_t kHttp2ConnectionWindow = 1024 * 1024;
inline constexpr uint32_t kHttp2TableBytes = 4 * 1024;
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// The preface's first part, which looks like a head of HTTP/1.
inline constexpr std::string_view kHttp2PrefaceHead = kHttp2Preface.substr(0, 18);

// RFC 9113 section 7.
enum class Http2Error : uint32_t {
  kNone = 0,
  kProtocol = 1,
  kInternal = 2,
  kFlowControl = 3,
  kStreamClosed = 5,
  kRefused = 7,
  kCancel = 8,
  kCalm = 11,
};

class Http2StreamObserver {
 public:
  virtual ~Http2StreamObserver() = default;
  // Client: interim responses (1xx), then the response. `end`: it has no body.
  virtual void OnResponse(ResponseHead, bool /*end*/) {}
  virtual void OnData(std::string_view data) = 0;
  // The peer's message is whole, and as long as it said.
  virtual void OnEnd(Fields trailers) = 0;
  // All that Send was given has been written to the output.
  virtual void OnSent() = 0;
  // The last call; the stream is gone. kNone: both messages were complete.
  virtual void OnClosed(Http2Error error) = 0;
};

// A handle, valid until OnClosed or Detach. The session owns it.
class Http2Stream {
 public:
  int32_t id() const { return id_; }
  // What Send was given and is not written yet.
  std::string_view unsent() const { return out_; }
  // The same bytes elsewhere.
  void MoveUnsent(std::string_view to) { out_ = to; }
  // Frames in both directions, with their heads.
  uint64_t bytes_received() const { return bytes_received_; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  bool received_end() const { return received_end_; }
  bool sent_end() const { return sent_end_; }

 private:
  friend class Http2Session;
  int32_t id_ = 0;
  Http2StreamObserver* observer_ = nullptr;  // null: nobody cares any more
  std::string_view out_;
  const Fields* trailers_ = nullptr;
  bool out_end_ = false;   // nothing follows out_
  bool deferred_ = false;  // nghttp2 waits for more
  bool received_end_ = false;
  bool sent_end_ = false;     // END_STREAM is in the output, or will be without anybody's doing
  bool head_done_ = false;    // client: the final response's head came
  bool expects_body_ = true;  // client: not the answer to HEAD
  bool has_length_ = false;
  uint64_t length_left_ = 0;
  size_t unconsumed_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  Http2Stream* previous_ = nullptr;  // all of the session's
  Http2Stream* next_ = nullptr;
};

class Http2Observer {
 public:
  virtual ~Http2Observer() = default;
  // Server. `refused` says with which status the request is to be answered instead of being served. Null: refuse the
  // stream, nothing was processed.
  virtual Http2StreamObserver* OnRequest(Http2Stream& stream, RequestHead head, ParseError refused) = 0;
  // The peer opens (server) or takes (client) no streams any more.
  virtual void OnGoAway() = 0;
};

class Http2Session {
 public:
  enum class Role : uint8_t { kServer, kClient };
  Http2Session(Role role, Http2Observer& observer);
  ~Http2Session();  // observers of streams that are left hear nothing: see CloseStreams
  Http2Session(const Http2Session&) = delete;

  void Receive(std::string_view bytes, MonotonicTime now);
  // Appends frames until `out` has `max` bytes or more, or nothing is left; more by less than one frame and one head.
  void Pull(std::string& out, size_t max, MonotonicTime now);
  // Nothing more will be read or written, but what Pull has given out.
  bool finished() const;
  // Nothing more is worth reading.
  bool deaf() const;
  // A header block has begun and not ended.
  bool in_header_block() const { return meter_.in_header_block(); }
  // The peer went over a budget, and was told so.
  bool flooded() const { return flooded_; }
  // A graceful end has begun, from either side.
  bool going_away() const { return going_away_; }
  // The peer knows which streams will be served to their end; nothing more is done to end.
  bool goaway_finished() const { return goaway_finished_; }
  size_t streams() const { return streams_; }
  // Server: how many streams were refused because there were too many, since the last call.
  uint64_t TakeRefused() { return std::exchange(refused_, 0); }

  // Server. `framing` as for HTTP/1.1: a length becomes a field. `end`: no body follows, also not in Send.
  void Respond(Http2Stream& stream, const ResponseHead& head, Framing framing, bool end);
  void RespondInterim(Http2Stream& stream, const ResponseHead& head);  // 1xx

  // Client. Null where the connection takes no more requests. `scheme` "https" or "http".
  struct Request {
    std::string_view method;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;  // with query
    const Fields* fields;
    Framing framing;
    bool end;             // no body follows
    bool takes_trailers;  // say so (te), as gRPC must
  };
  Http2Stream* Ask(const Request& request, Http2StreamObserver& observer);
  // How many requests the peer would process beside those that are open.
  size_t capacity() const;

  // Body bytes, the end of the message, or both; `trailers` only with the end. All of them stay where they are until
  // OnSent (for bytes: or MoveUnsent). Not before the head, not before the last OnSent.
  void Send(Http2Stream& stream, std::string_view data, bool end, const Fields* trailers = nullptr);
  // The owner has passed on that many bytes of OnData.
  void Consume(Http2Stream& stream, size_t bytes);
  // Ends a stream; its observer hears OnClosed at once.
  void Reset(Http2Stream& stream, Http2Error error);
  // The observer goes; what is left of the stream is reset.
  void Detach(Http2Stream& stream);

  // Asks the peer for a sign of life.
  void Ping();

  // The beginning of a graceful end: the peer learns of it, what it has sent meanwhile is served. FinishGoAway follows
  // a round trip later by itself, or earlier by the owner's clock.
  void BeginGoAway();
  void FinishGoAway();
  // Ends everything now.
  void Terminate(Http2Error error);
  // The transport is gone: every observer hears OnClosed.
  void CloseStreams(Http2Error error);

 private:
  friend struct Http2Callbacks;
  void OnHeadersBegin(const nghttp2_frame& frame);
  void OnHeadersEnd(const nghttp2_frame& frame);
  void OnRequestHead(int32_t id, bool end);
  void OnResponseHead(Http2Stream& stream, bool end);
  void OnTrailers(Http2Stream& stream, bool end);
  void OnFrame(const nghttp2_frame& frame);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnFrameRefused(const nghttp2_frame& frame, int why);
  void OnData(int32_t id, std::string_view data);
  void OnMessageEnd(Http2Stream& stream, Fields trailers);
  void OnStreamClosed(int32_t id, uint32_t error);
  void OnRequestNotSent(int32_t id);
  long ReadSource(Http2Stream& stream, size_t max, uint32_t& flags);
  int WriteData(Http2Stream& stream, std::string_view frame_head, size_t size);
  void Written(Http2Stream& stream);

  Http2Stream* Find(int32_t id) const;
  Http2Stream& Add(Http2StreamObserver* observer);
  void Close(Http2Stream& stream, Http2Error error);
  void Flooded();
  void SubmitReset(int32_t id, Http2Error error);

  const Role role_;
  Http2Observer& observer_;
  nghttp2_session* session_ = nullptr;
  Http2Meter meter_;
  Http2HeadBuilder builder_;
  Http2Stream* first_ = nullptr;
  size_t streams_ = 0;
  uint64_t refused_ = 0;
  std::string* out_ = nullptr;  // while Pull runs
  size_t max_out_ = 0;
  MonotonicTime now_{};
  bool broken_ = false;  // nghttp2 can go on no more
  bool flooded_ = false;
  bool too_many_resets_ = false;
  bool going_away_ = false;
  bool goaway_finished_ = false;
};

}  // namespace sluice::http
