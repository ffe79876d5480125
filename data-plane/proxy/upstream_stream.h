#pragma once

// The upstream's side of one exchange, whatever protocol version carries it: the counterpart of Downstream. The dialer
// makes it; it lives for one request and goes before the exchange ends. Its worker's thread only. One coroutine may
// send the rest of the request while another reads the answer.

#include <string_view>

#include "data-plane/http/head.h"
#include "data-plane/io/pipe.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"

namespace sluice::proxy {

class UpstreamStream {
 public:
  // Closes what was not released.
  virtual ~UpstreamStream() = default;
  // One a request: memory as coroutines have it.
  static void* operator new(size_t size) { return io::AllocateFrame(size); }
  static void operator delete(void* stream, size_t size) noexcept { io::FreeFrame(stream, size); }

  struct Outgoing {
    std::string_view method;
    std::string_view scheme;  // "http" or "https"
    std::string_view authority;
    std::string_view target;  // origin-form
    const http::Fields* fields;
    http::Framing framing;  // kNone, kLength, or kChunked where the length is unknown
    std::string_view body;  // its first bytes
    bool last = false;      // the request is complete
    bool upgrade = false;   // asks for a websocket
  };
  // Everything that is here of the request, as one write. kTimeout: nothing went for `stall`.
  virtual io::Task<io::IoError> SendHead(Outgoing out, Duration stall) = 0;
  virtual io::Task<io::IoError> SendBody(std::string_view data, bool last, Duration stall) = 0;
  // Whether this body can be sent by SendPiped. Once the head is sent.
  virtual bool TakesPiped() const { return false; }
  virtual io::Task<io::IoError> SendPiped(io::Piped&, Duration) { return io::IoError::kReset; }

  struct HeadRead {
    io::IoError error = io::IoError::kNone;
    bool malformed = false;  // the answer is none that can be understood
  };
  // The next head, be it an interim response (1xx) or the answer. After kTimeout it may be called again.
  virtual io::Task<HeadRead> ReadHead(http::ResponseHead& head, MonotonicTime deadline) = 0;

  struct BodyPiece {
    std::string_view data;  // valid until the next suspension or the next call
    bool end = false;       // the body is complete
    bool malformed = false;
    io::IoError error = io::IoError::kNone;
  };
  // What is here already of the answer's body; empty without `end` where waiting is needed.
  virtual BodyPiece TryReadBody() = 0;
  // At least one byte, the end, or an error. After kTimeout it may be called again. The bytes may be in `piped` instead
  // of `data`, where that is not null.
  virtual io::Task<BodyPiece> ReadBody(MonotonicTime deadline, io::Piped* piped = nullptr) = 0;
  // What followed the body; null where nothing did. Once the body has ended.
  virtual const http::Fields* trailers() const { return nullptr; }

  // The head just read was a 101: from now on ReadBody and SendBody carry bytes as they are, both ways.
  virtual void BecomeTunnel() {}
  // Something came back, so that the request may have been processed.
  virtual bool answered() const = 0;
  // The upstream says that it has not processed the request (RFC 9113 section 8.7).
  virtual bool refused() const { return false; }
  // The exchange has ended here because what waits of it has no room among the gateway's buffered bytes.
  virtual bool out_of_room() const { return false; }

  // Ends both directions now, so that a request that was not sent whole never looks whole. Waits on it end.
  virtual void Abort() = 0;
  // The request was sent and the answer read completely: the connection may carry another one where the upstream
  // allows that. Nothing else is called afterwards.
  virtual void Release() = 0;
};

}  // namespace sluice::proxy
