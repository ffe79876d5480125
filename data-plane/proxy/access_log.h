#pragma once

// One JSON line a request. Workers format and leave lines in rings of their own; one thread writes them. A full ring
// drops lines and counts them: a slow disk costs lines, never requests.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "data-plane/plugin/exchange.h"

namespace sluice::proxy {

inline constexpr size_t kAccessLogRingBytes = 4 * 1024 * 1024;  // of one worker
inline constexpr std::chrono::milliseconds kAccessLogInterval{50};

// Bytes from one thread to another without a lock. Whole lines or nothing.
class LogRing {
 public:
  explicit LogRing(size_t bytes) : bytes_(std::make_unique<char[]>(bytes)), size_(bytes) {}

  // The worker's thread. False, and counted, where the line finds no room.
  bool Push(std::string_view line);
  // The writer's thread. What is there, as far as it lies in one piece; Pop takes it away.
  std::string_view Front() const;
  void Pop(size_t bytes) { tail_.store(tail_.load(std::memory_order_relaxed) + bytes, std::memory_order_release); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::unique_ptr<char[]> bytes_;
  const size_t size_;
  std::atomic<uint64_t> head_{0};
  std::atomic<uint64_t> tail_{0};
  std::atomic<uint64_t> dropped_{0};
};

class AccessLog {
 public:
  // `path`: a file to append to, "-" for standard output, "off" or "" for none.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Open(const std::string& path, int workers);
  ~AccessLog();  // writes what is left
  AccessLog(const AccessLog&) = delete;

  bool enabled() const { return fd_ >= 0; }
  LogRing& ring(int worker) { return *rings_[worker]; }
  uint64_t dropped() const;

 private:
  AccessLog(int fd, int workers);
  void Write();
  bool WriteOnce();

  const int fd_;
  std::vector<std::unique_ptr<LogRing>> rings_;
  std::atomic<uint64_t> lost_{0};  // lines' bytes that the file would not take
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread writer_;
};

// The line of one exchange, with its newline, appended to `out`.
void AppendAccessLine(const Exchange& exchange, std::string_view node, std::string& out);
// Values of parameters that may carry secrets, by their well-known names and by `secret_names` (null: none more), read
// REDACTED.
void AppendRedactedQuery(std::string_view query, const std::vector<std::string>* secret_names, std::string& out);

}  // namespace sluice::proxy
