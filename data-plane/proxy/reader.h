#pragma once

// The bytes of a connection that have been read and not used yet. Reading goes through the worker's scratch buffer,
// which every connection of the worker shares; only what is left over a suspension is copied to memory of its own, so
// that an idle connection holds no buffer. One per stream; its worker's thread only.

#include <span>
#include <string>
#include <string_view>

#include "data-plane/io/pipe.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"

namespace sluice::proxy {

class Reader {
 public:
  Reader(io::Stream& stream, std::span<char> scratch) : stream_(&stream), scratch_(scratch) {}
  Reader(const Reader&) = delete;

  // Valid until the next suspension of any coroutine, unless Hold is called first.
  std::string_view pending() const { return pending_; }
  void Consume(size_t bytes) { pending_.remove_prefix(bytes); }

  // Makes what is pending survive suspensions. What was consumed since the last Fill stays valid, too.
  void Hold();

  // Waits for bytes and adds at least one to what is pending. kEnd, kReset, kTimeout, kCancelled, kTls otherwise.
  io::Task<io::IoError> Fill(MonotonicTime deadline);

  // The same inside the kernel, at most `max` bytes, where `piped` can: then nothing is added to what is pending, of
  // which there is nothing before.
  io::Task<io::IoError> Fill(MonotonicTime deadline, io::Piped& piped, size_t max);

  // Fill without waiting, and held; kWouldBlock where nothing is here.
  io::IoError TryFill();

  uint64_t received() const { return received_; }

 private:
  bool InHeld() const;
  void Compact();
  io::IoError Take();  // one read, after Compact

  io::Stream* stream_;
  std::span<char> scratch_;
  std::string held_;
  std::string_view pending_;  // into held_ or into the scratch
  uint64_t received_ = 0;
};

}  // namespace sluice::proxy
