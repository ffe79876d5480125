#pragma once

// The last good configuration of everything a node serves, on its disk: sealed with AES-256-GCM, whose tag is the
// checksum too, in two generations, written beside and renamed. A writer thread of its own, so that a slow disk delays
// nothing; what comes faster than it writes is coalesced into the latest, and what could not be written is tried again.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "data-plane/sync/state_key.h"
#include "data-plane/sync/status.h"
#include "sluice/sync/v1/snapshot.pb.h"

namespace sluice::sync {

inline constexpr size_t kMaxSnapshotBytes = 2'000'000'000;  // what protobuf can read back; past it nothing is written

// Reads the newest generation that is whole; NOT_FOUND where there is none, DATA_LOSS where all are damaged or sealed
// with another key.
absl::StatusOr<v1::Snapshot> ReadSnapshot(const std::string& folder, const StateKey& key);
// Makes `snapshot`, a serialised v1::Snapshot, the newest generation; the newest before becomes the other one. Errors
// name the file and the cause, and leave what was there.
absl::Status WriteSnapshot(const std::string& folder, const StateKey& key, std::string snapshot);

class LastGood {
 public:
  static constexpr Duration kMinInterval = std::chrono::seconds(1);
  static constexpr Duration kRetryInterval = std::chrono::seconds(10);  // after a write that failed
  static constexpr int kMaxShare = 20;  // a write may take one part in 20 of the time

  // `folder` is made where it is absent.
  LastGood(std::string folder, StateKey key, Status& status);
  ~LastGood();  // writes what is still to be written
  LastGood(const LastGood&) = delete;

  // `snapshot` will be asked, on the writer's thread, for what is to be written (serialised), again where that failed.
  // Never blocks.
  void Save(std::function<std::string()> snapshot);

 private:
  void Run();
  bool Write(std::string snapshot);
  const std::string folder_;
  const StateKey key_;
  Status& status_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::function<std::string()> next_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice::sync
