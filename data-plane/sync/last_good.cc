#include "data-plane/sync/last_good.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

// A file is this line, the SHA-256 of the rest, and the rest: a serialised Snapshot.
constexpr std::string_view kMagic = "sluice last good 1\n";

std::string Newest(const std::string& folder) {
  return folder + "/last-good";
}
std::string Previous(const std::string& folder) {
  return folder + "/last-good.previous";
}
std::string Beside(const std::string& folder) {
  return folder + "/last-good.new";
}

std::string Digest(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

absl::StatusOr<v1::Snapshot> ReadGeneration(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("there is no ", path));
  std::ostringstream text;
  text << in.rdbuf();
  const std::string bytes = std::move(text).str();
  const std::string_view view = bytes;
  const size_t head = kMagic.size() + SHA256_DIGEST_LENGTH;
  if (view.size() < head || !view.starts_with(kMagic) ||
      view.substr(kMagic.size(), SHA256_DIGEST_LENGTH) != Digest(view.substr(head))) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  v1::Snapshot snapshot;
  if (!snapshot.ParseFromArray(view.data() + head, static_cast<int>(view.size() - head))) {
    return absl::DataLossError(absl::StrCat(path, " does not parse"));
  }
  return snapshot;
}

}  // namespace

absl::StatusOr<v1::Snapshot> ReadSnapshot(const std::string& folder) {
  absl::StatusOr<v1::Snapshot> newest = ReadGeneration(Newest(folder));
  if (newest.ok()) return newest;
  absl::StatusOr<v1::Snapshot> previous = ReadGeneration(Previous(folder));
  if (absl::IsDataLoss(newest.status())) {
    log::Warning("a snapshot is damaged", {{"error", std::string(newest.status().message())},
                                           {"instead", previous.ok() ? "the generation before it" : "nothing"}});
  }
  if (previous.ok()) return previous;
  return absl::IsDataLoss(newest.status()) ? newest.status() : previous.status();
}

absl::Status WriteSnapshot(const std::string& folder, const v1::Snapshot& snapshot) {
  if (snapshot.ByteSizeLong() > kMaxSnapshotBytes) return absl::ResourceExhaustedError("the snapshot is too large");
  const std::string beside = Beside(folder);
  const std::string payload = snapshot.SerializeAsString();
  if (absl::Status status = WriteFlushed(beside, {kMagic, Digest(payload), payload}); !status.ok()) return status;
  // A kill between the two renames leaves the generation before, whole, under its own name.
  if (rename(Newest(folder).c_str(), Previous(folder).c_str()) != 0 && errno != ENOENT) {
    return SystemError("rename", Newest(folder));
  }
  if (rename(beside.c_str(), Newest(folder).c_str()) != 0) return SystemError("rename", beside);
  return FlushFolder(folder);
}

LastGood::LastGood(std::string folder, Status& status) : folder_(std::move(folder)), status_(status) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) log::Error("cannot make the state folder", {{"folder", folder_}, {"error", error.message()}});
  chmod(folder_.c_str(), 0700);
  thread_ = std::thread([this] { Run(); });
}

LastGood::~LastGood() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LastGood::Save(std::function<v1::Snapshot()> snapshot) {
  {
    std::lock_guard lock(mutex_);
    next_ = std::move(snapshot);
  }
  wake_.notify_all();
}

void LastGood::Run() {
  std::unique_lock lock(mutex_);
  MonotonicTime not_before = MonotonicTime::min();
  while (true) {
    wake_.wait(lock, [&] { return stop_ || next_ != nullptr; });
    if (!stop_) wake_.wait_until(lock, not_before, [&] { return stop_; });
    const auto next = std::exchange(next_, nullptr);
    if (next == nullptr) return;
    lock.unlock();
    const MonotonicTime began = std::chrono::steady_clock::now();
    const absl::Status written = WriteSnapshot(folder_, next());
    if (written.ok()) {
      status_.snapshot_at = UnixSeconds(std::chrono::system_clock::now());
    } else {
      ++status_.snapshot_failures;
      log::Error("the snapshot was not written; the node serves on", {{"error", std::string(written.message())}});
    }
    const MonotonicTime ended = std::chrono::steady_clock::now();
    not_before = ended + std::max(kMinInterval, Duration((ended - began) * kMaxShare));
    lock.lock();
  }
}

}  // namespace sluice::sync
