#pragma once

// Log entries on their way to a tenant's log server: bounded queues, one for each plugin instance, delivered in batches
// by a coroutine that exists only while there is something to deliver. A slow or dead server costs entries, never
// requests. Owned by a worker; its thread only. Queues live beside the configuration: a change of it changes where the
// next batch goes and drops nothing. Destroy it when its loop has stopped and before the loop.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/task.h"
#include "data-plane/plugin/worker.h"

namespace sluice {

// Where entries go and how they wait.
struct LogSink {
  HttpCall call;       // without a body
  bool array = false;  // a batch is a JSON array; otherwise it is one entry
  size_t max_batch_size = 1;
  size_t max_entries = 10'000;
  size_t max_bytes = 0;  // 0: the worker's own maximum
  Duration max_coalescing_delay{};
  Duration max_retry_time{};
  Duration initial_retry_delay{};
  Duration max_retry_delay{};
};

class LogQueues {
 public:
  static constexpr size_t kMaxQueueBytes = 8 * 1024 * 1024;   // of one queue
  static constexpr size_t kMaxTotalBytes = 64 * 1024 * 1024;  // of all; the fullest queue gives way
  static constexpr size_t kMaxBatchBytes = 4 * 1024 * 1024;   // a larger batch is cut
  static constexpr size_t kMaxQueues = 16 * 1024;             // with something to deliver; entries for more are dropped

  explicit LogQueues(PluginWorker& worker) : worker_(worker) {}
  LogQueues(const LogQueues&) = delete;
  ~LogQueues();

  // Never blocks and never fails: what finds no room takes the place of the oldest, which is counted.
  void Push(const std::string& instance_id, std::shared_ptr<const LogSink> sink, std::shared_ptr<const Gateway> gateway,
            std::string entry);

  // Sends what waits without waiting for more, from now on: the worker is about to stop. Done when queues() is 0.
  void Flush();

  size_t queues() const { return queues_.size(); }
  size_t bytes() const { return bytes_; }            // waiting and on the way
  uint64_t delivered() const { return delivered_; }  // entries
  uint64_t dropped() const { return dropped_; }      // entries: for want of room, or of an answer in time

 private:
  struct Queue;
  io::Task<void> Deliver(std::shared_ptr<Queue> queue);
  io::Task<bool> Send(std::shared_ptr<Queue> queue, std::string body);
  void DropOldest(Queue& queue);
  void CountDropped(Queue& queue, size_t entries, std::string_view why);
  void MakeRoom();
  std::string TakeBatch(Queue& queue, size_t& count);

  PluginWorker& worker_;
  absl::flat_hash_map<std::string, std::shared_ptr<Queue>> queues_;  // by plugin instance id
  size_t bytes_ = 0;
  bool flushing_ = false;
  uint64_t delivered_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace sluice
