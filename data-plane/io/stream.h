#pragma once

// A connection's bytes, plain or TLS. Try* never suspend; Readable and Writable suspend until trying again is worth it.
// At most one coroutine waits for each direction. Loop's thread only. Closing the descriptor is the destructor's job.
//
// Readiness flags follow edge-triggered epoll: after a short read or write the flag is cleared without asking the
// kernel again, so that a small request costs one recv and one send.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "data-plane/io/cancellation.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/task.h"

namespace sluice::io {

enum class IoError : uint8_t {
  kNone,
  kWouldBlock,  // from Try* only: nothing now, await readiness
  kEnd,         // the peer finished sending (FIN, or TLS close_notify)
  kReset,       // the connection is gone
  kTimeout,     // the deadline passed
  kCancelled,   // Cancel was called
  kTls,         // TLS broke: bad record, or a FIN without close_notify
};
std::string_view ToString(IoError error);

struct IoResult {
  size_t bytes = 0;
  IoError error = IoError::kNone;
  bool ok() const { return error == IoError::kNone; }
};

class TcpStream;

class Stream {
 public:
  virtual ~Stream() = default;

  // `out` is not empty.
  virtual IoResult TryRead(std::span<char> out) = 0;
  // May take a part. After kWouldBlock or a part, go on with what is left, or with that and more behind it: TLS has
  // sealed the beginning already.
  virtual IoResult TryWrite(std::string_view data) = 0;

  // FIN (after close_notify under TLS, where that can be written at once); reading goes on.
  virtual void ShutdownWrite() = 0;
  // Resumes whoever waits, with kCancelled; every later wait and Try* answers so too.
  void Cancel();
  bool cancelled() const { return cancelled_; }
  // The next close sends RST instead of FIN, so that the peer cannot take a cut message for a whole one.
  virtual void ResetOnClose() = 0;

  struct Waiter {
    std::coroutine_handle<> handle;
    Timer timer;
    IoError result = IoError::kNone;
  };
  class Wait {
   public:
    Wait(Stream& stream, Waiter& waiter, bool ready, MonotonicTime deadline)
        : stream_(stream), waiter_(waiter), ready_(ready), deadline_(deadline) {}
    bool await_ready() const { return (ready_ && !WaitsForTurn()) || stream_.cancelled_; }
    void await_suspend(std::coroutine_handle<> handle);
    // kNone, kTimeout or kCancelled.
    IoError await_resume() const {
      if (stream_.cancelled_) return IoError::kCancelled;
      return ready_ ? IoError::kNone : waiter_.result;
    }

   private:
    bool WaitsForTurn() const { return stream_.bulk_ && &waiter_ == &stream_.read_waiter_; }
    Stream& stream_;
    Waiter& waiter_;
    bool ready_;
    MonotonicTime deadline_;
  };
  Wait Readable(MonotonicTime deadline) {
    Stream& below = Transport();
    return Wait(below, below.read_waiter_, IsReadable(), deadline);
  }
  Wait Writable(MonotonicTime deadline) {
    Stream& below = Transport();
    return Wait(below, below.write_waiter_, IsWritable(), deadline);
  }

  virtual Loop& loop() = 0;
  // True when the peer has closed or sent something unasked: such an idle connection must not be reused.
  virtual bool IsStale() = 0;
  // The connection itself, where its bytes are sent as they are; null under TLS. For the splicing of Piped.
  virtual TcpStream* Plain() { return nullptr; }

 protected:
  virtual bool IsReadable() const = 0;
  virtual bool IsWritable() const = 0;
  // The stream whose events matter: a layer's waiters wait on what it is laid over.
  virtual Stream& Transport() { return *this; }
  static bool IsReadable(const Stream& other) { return other.IsReadable(); }
  static bool IsWritable(const Stream& other) { return other.IsWritable(); }
  void WakeReader(IoError result);
  void WakeWriter(IoError result);

  Waiter read_waiter_;
  Waiter write_waiter_;
  bool cancelled_ = false;
  // The last read brought much, so that more is likely: the next one waits for its turn behind everybody's small
  // messages (Loop::DeferBulk). Of a transport; set by its TryRead.
  bool bulk_ = false;
};

// A read of so many bytes, or one that filled its buffer, counts as bulk.
inline constexpr size_t kBulkRead = 8 * 1024;

// Reads at least one byte, or says why not. Nothing else runs between the read and the caller going on, so that `out`
// may be a scratch buffer of the loop.
Task<IoResult> ReadSome(Stream& stream, std::span<char> out, MonotonicTime deadline);
// Writes everything, beginning with the call. `data` may live in a shared scratch buffer: what the kernel does not take
// at once is copied. `stall` bounds each wait without progress.
Task<IoResult> WriteAll(Stream& stream, std::string_view data, Duration stall);

struct Endpoint {
  std::string address;  // canonical text, no brackets
  uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

// Takes ownership of a connected non-blocking descriptor.
std::unique_ptr<Stream> MakeTcpStream(Loop& loop, int fd);

// Connects to an address (never a name). kTimeout, kCancelled, kReset (refused, unreachable) or kNone with a stream.
// `system_error` gets the errno of a refusal.
struct Connected {
  std::unique_ptr<Stream> stream;
  IoError error = IoError::kNone;
  int system_error = 0;
};
Task<Connected> ConnectTcp(Loop& loop, const Endpoint& to, MonotonicTime deadline,
                           Cancellation* cancellation = nullptr);

}  // namespace sluice::io
