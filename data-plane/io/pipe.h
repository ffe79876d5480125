#pragma once

// Bytes on their way from one plain connection to another inside the kernel, by splice(2): they never come into this
// process's memory. A loop's thread only. Needs SIGPIPE ignored: splice cannot be told not to send it.

#include <cstddef>
#include <utility>
#include <vector>

#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"

namespace sluice::io {

inline constexpr size_t kPipeBytes = 256 * 1024;  // between two connections, at most
inline constexpr size_t kMaxPipes = 128;          // of a pool, in use or idle
inline constexpr size_t kMaxIdlePipes = 8;        // a pipe is in use only while bytes are in it: few serve many

// The pipes of one loop. Outlives every Piped that takes from it.
class PipePool {
 public:
  explicit PipePool(size_t max = kMaxPipes) : max_(max) {}
  PipePool(const PipePool&) = delete;
  ~PipePool();

  size_t open() const { return open_; }  // in use or idle

 private:
  friend class Piped;
  struct Ends {
    int read = -1;
    int write = -1;
  };
  Ends Take();  // of an empty pipe; -1 where none is to be had
  void Give(Ends ends, bool empty);
  Ends Open();
  static void Close(Ends ends);

  const size_t max_;
  size_t open_ = 0;
  std::vector<Ends> idle_;
};

// What one transfer has between its connections: nothing, or bytes in a pipe. They are dropped with it.
class Piped {
 public:
  explicit Piped(PipePool& pool) : pool_(pool) {}
  Piped(const Piped&) = delete;
  ~Piped() { GiveBack(); }

  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  // Whether bytes can be taken from that connection: it is plain, and a pipe is to be had. Otherwise they are to be
  // read as ever. Empty only.
  bool Ready(Stream& from);
  // Stream::TryRead into the pipe, of `max` bytes or less. Ready only. Out-of-band data ends in kWouldBlock for ever.
  IoResult TryFill(Stream& from, size_t max);
  // Stream::TryWrite of what is here, to a plain connection.
  IoResult TryDrain(Stream& to);

 private:
  void GiveBack();
  PipePool& pool_;
  PipePool::Ends ends_;
  size_t bytes_ = 0;
};

// Writes everything. `stall` bounds each wait without progress. `to` is plain.
Task<IoResult> WriteAll(Stream& to, Piped& piped, Duration stall);

}  // namespace sluice::io
