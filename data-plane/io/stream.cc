#include "data-plane/io/stream.h"

namespace sluice::io {

std::string_view ToString(IoError error) {
  switch (error) {
    case IoError::kNone:
      return "none";
    case IoError::kWouldBlock:
      return "would-block";
    case IoError::kEnd:
      return "end";
    case IoError::kReset:
      return "reset";
    case IoError::kTimeout:
      return "timeout";
    case IoError::kCancelled:
      return "cancelled";
    case IoError::kTls:
      return "tls";
  }
  return "unknown";
}

void Stream::Wait::await_suspend(std::coroutine_handle<> handle) {
  if (ready_) {
    stream_.loop().DeferBulk(handle);
    return;
  }
  SLUICE_CHECK(!waiter_.handle);
  waiter_.handle = handle;
  waiter_.result = IoError::kNone;
  waiter_.timer.Arm(
      stream_.loop(), deadline_,
      [](void* context) {
        Waiter& waiter = *static_cast<Waiter*>(context);
        waiter.result = IoError::kTimeout;
        std::exchange(waiter.handle, nullptr).resume();
      },
      &waiter_);
}

void Stream::Cancel() {
  cancelled_ = true;
  Stream& below = Transport();
  if (&below != this) {
    below.Cancel();
    return;
  }
  WakeReader(IoError::kCancelled);
  WakeWriter(IoError::kCancelled);
}

// Waiters are deferred, never resumed here: they may destroy this stream, and the caller may be anywhere.
void Stream::WakeReader(IoError result) {
  if (!read_waiter_.handle) return;
  read_waiter_.timer.Disarm();
  read_waiter_.result = result;
  const std::coroutine_handle<> handle = std::exchange(read_waiter_.handle, nullptr);
  if (bulk_) {
    loop().DeferBulk(handle);
  } else {
    loop().Defer(handle);
  }
}

void Stream::WakeWriter(IoError result) {
  if (!write_waiter_.handle) return;
  write_waiter_.timer.Disarm();
  write_waiter_.result = result;
  loop().Defer(std::exchange(write_waiter_.handle, nullptr));
}

Task<IoResult> ReadSome(Stream& stream, std::span<char> out, MonotonicTime deadline) {
  for (;;) {
    const IoError error = co_await stream.Readable(deadline);
    if (error != IoError::kNone) co_return IoResult{0, error};
    const IoResult result = stream.TryRead(out);
    if (result.error != IoError::kWouldBlock) co_return result;
  }
}

namespace {

// Of `kept`, after so many bytes before it.
Task<IoResult> WriteRest(Stream& stream, std::string kept, size_t written, Duration stall) {
  std::string_view data = kept;
  while (!data.empty()) {
    const IoError error = co_await stream.Writable(stream.loop().Now() + stall);
    if (error != IoError::kNone) co_return IoResult{written, error};
    const IoResult result = stream.TryWrite(data);
    if (result.error != IoError::kNone && result.error != IoError::kWouldBlock)
      co_return IoResult{written, result.error};
    written += result.bytes;
    data.remove_prefix(result.bytes);
  }
  co_return IoResult{written, IoError::kNone};
}

}  // namespace

Task<IoResult> WriteAll(Stream& stream, std::string_view data, Duration stall) {
  if (data.empty()) return IoResult{};
  const IoResult result = stream.TryWrite(data);
  if (result.error != IoError::kNone && result.error != IoError::kWouldBlock) return IoResult{0, result.error};
  if (result.bytes == data.size()) return result;
  return WriteRest(stream, std::string(data.substr(result.bytes)), result.bytes, stall);
}

}  // namespace sluice::io
