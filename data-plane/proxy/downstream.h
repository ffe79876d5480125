#pragma once

// The client's side of one exchange, whatever protocol version carries it: the request's body comes out of it, the
// response goes into it. Owned by the connection (HTTP/1.1) or the stream (HTTP/2); its worker's thread only. One
// coroutine reads the body while another may send the response.

#include <cstdint>
#include <memory>
#include <string_view>

#include "data-plane/http/head.h"
#include "data-plane/io/pipe.h"
#include "data-plane/io/task.h"

namespace sluice {
class Gateway;
}

namespace sluice::proxy {

enum class BodyError : uint8_t {
  kNone,
  kGone,       // the client ended or broke the connection
  kTooSlow,    // below the minimum rate
  kTooLarge,   // more than MaxBody allows
  kMalformed,  // chunks that are none
  kNoRoom,     // among the gateway's buffered bytes
};

struct BodyRead {
  std::string_view data;  // valid until the next suspension
  bool end = false;       // nothing follows
  BodyError error = BodyError::kNone;
};

class Downstream {
 public:
  virtual ~Downstream() = default;

  // The request's body may have that many bytes; 0: no limit. Set before the first read.
  virtual void SetMaxBody(uint64_t bytes) = 0;
  // What waits here, in either direction, counts among the gateway's buffered bytes from now on. False where there is
  // no room for it.
  virtual bool CountBuffered(const std::shared_ptr<const Gateway>&) { return true; }
  // There was none later: the answer was cut for it.
  virtual bool out_of_room() const { return false; }
  // The body is a stream of messages (gRPC's), which may pause for as long as both ends like: no minimum rate.
  virtual void AllowSilence() {}
  // What is here already; empty without `end` where waiting is needed.
  virtual BodyRead TryReadBody() = 0;
  // At least one byte, the end, or an error. The bytes may be in `piped` instead of `data`, where that is not null.
  virtual io::Task<BodyRead> ReadBody(io::Piped* piped = nullptr) = 0;
  virtual bool body_done() const = 0;
  virtual uint64_t body_received() const = 0;
  // The client has ended or broken the connection, as far as that shows without waiting. Never while another coroutine
  // reads the body.
  virtual bool Gone() = 0;

  // The head and the first bytes of the body, as one write. `framing` is the response's own: kNone where no body
  // follows, kUntilClose or kChunked where its length is unknown. `last`: the response is complete. False: the client
  // is gone.
  struct Outgoing {
    const http::ResponseHead* head;
    http::Framing framing;
    std::string_view body;
    bool last = false;
    bool body_omitted = false;  // HEAD: `framing` says what a GET would have had
    // The client's upgrade is accepted: from then on ReadBody and SendBody carry bytes as they are, both ways, and the
    // bounds on bodies no longer hold.
    bool tunnel = false;
  };
  // An interim response (1xx, never 101), before SendHead; left out where the client's version has none.
  virtual io::Task<bool> SendInterim(const http::ResponseHead& head) = 0;
  virtual io::Task<bool> SendHead(Outgoing out) = 0;
  virtual io::Task<bool> SendBody(std::string_view data, bool last) = 0;
  // Whether this body can be sent by SendPiped. Once the head is sent.
  virtual bool TakesPiped() const { return false; }
  virtual io::Task<bool> SendPiped(io::Piped&, bool) { return false; }
  // Ends the body with these fields behind it, instead of SendBody's `last`; without them where the client's version
  // has no place for them.
  virtual io::Task<bool> SendTrailers(const http::Fields& trailers) = 0;
  // Ends the exchange's both directions now. A response that is not complete must not be taken for whole.
  virtual void Abort() = 0;
  // No answer follows on this connection: the client learns so now.
  virtual void EndAfterResponse() = 0;
  virtual bool head_sent() const = 0;
  virtual uint64_t bytes_received() const = 0;
  virtual uint64_t bytes_sent() const = 0;
};

}  // namespace sluice::proxy
