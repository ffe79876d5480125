#include "data-plane/sync/last_good.h"

#include <errno.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/aead.h"
#include "common/base/random.h"
#include "common/observe/log.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

// A file is this line, the id of the key, the nonce, the tag, and the rest: a serialised Snapshot, sealed. What lies
// before the nonce is authenticated too.
constexpr std::string_view kMagic = "sluice last good 2\n";

std::string Newest(const std::string& folder) {
  return folder + "/last-good";
}
std::string Previous(const std::string& folder) {
  return folder + "/last-good.previous";
}
std::string Beside(const std::string& folder) {
  return folder + "/last-good.new";
}

std::string Head(const StateKey& key) {
  return absl::StrCat(absl::string_view(kMagic.data(), kMagic.size()),
                      absl::string_view(key.id().data(), key.id().size()));
}

absl::StatusOr<v1::Snapshot> ReadGeneration(const std::string& path, const StateKey& key) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return absl::NotFoundError(absl::StrCat("there is no ", path));
  std::string bytes(static_cast<size_t>(std::max<std::streamoff>(0, in.tellg())), '\0');
  in.seekg(0);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  const std::string head = Head(key);
  const size_t nonce_at = head.size(), tag_at = nonce_at + kAeadNonceBytes, rest_at = tag_at + kAeadTagBytes;
  if (bytes.size() < rest_at || !bytes.starts_with(kMagic)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  if (!bytes.starts_with(head)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged, or was sealed with another state key"));
  }
  const std::string nonce = bytes.substr(nonce_at, kAeadNonceBytes), tag = bytes.substr(tag_at, kAeadTagBytes);
  bytes.erase(0, rest_at);
  v1::Snapshot snapshot;
  if (!AeadOpen({key.bytes(), nonce, head}, tag, bytes)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  if (!snapshot.ParseFromString(bytes)) return absl::DataLossError(absl::StrCat(path, " does not parse"));
  return snapshot;
}

}  // namespace

absl::StatusOr<v1::Snapshot> ReadSnapshot(const std::string& folder, const StateKey& key) {
  absl::StatusOr<v1::Snapshot> newest = ReadGeneration(Newest(folder), key);
  if (newest.ok()) return newest;
  absl::StatusOr<v1::Snapshot> previous = ReadGeneration(Previous(folder), key);
  if (absl::IsDataLoss(newest.status())) {
    log::Warning("a snapshot is damaged", {{"error", std::string(newest.status().message())},
                                           {"instead", previous.ok() ? "the generation before it" : "nothing"}});
  }
  if (previous.ok()) return previous;
  return absl::IsDataLoss(newest.status()) ? newest.status() : previous.status();
}

absl::Status WriteSnapshot(const std::string& folder, const StateKey& key, std::string snapshot) {
  if (snapshot.size() > kMaxSnapshotBytes) return absl::ResourceExhaustedError("the snapshot is too large");
  const std::string beside = Beside(folder);
  std::string nonce(kAeadNonceBytes, '\0');
  RandomBytes(nonce.data(), nonce.size());
  const std::string head = Head(key);
  const std::string tag = AeadSeal({key.bytes(), nonce, head}, snapshot);
  if (absl::Status status = WriteFlushed(beside, {head, nonce, tag, snapshot}); !status.ok()) return status;
  // A kill between the two renames leaves the generation before, whole, under its own name.
  if (rename(Newest(folder).c_str(), Previous(folder).c_str()) != 0 && errno != ENOENT) {
    return SystemError("rename", Newest(folder));
  }
  if (rename(beside.c_str(), Newest(folder).c_str()) != 0) return SystemError("rename", beside);
  return FlushFolder(folder);
}

LastGood::LastGood(std::string folder, StateKey key, Status& status)
    : folder_(std::move(folder)), key_(std::move(key)), status_(status) {
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

void LastGood::Save(std::function<std::string()> snapshot) {
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
    auto next = std::exchange(next_, nullptr);
    if (next == nullptr) return;
    lock.unlock();
    const MonotonicTime began = std::chrono::steady_clock::now();
    const bool written = Write(next());
    const MonotonicTime ended = std::chrono::steady_clock::now();
    not_before = ended + std::max(written ? kMinInterval : kRetryInterval, Duration((ended - began) * kMaxShare));
    lock.lock();
    if (!written && !stop_ && next_ == nullptr) next_ = std::move(next);
  }
}

bool LastGood::Write(std::string snapshot) {
  const absl::Status written = WriteSnapshot(folder_, key_, std::move(snapshot));
  if (written.ok()) {
    status_.snapshot_at = UnixSeconds(std::chrono::system_clock::now());
    return true;
  }
  ++status_.snapshot_failures;
  log::Error("the snapshot was not written; the node serves on and tries again",
             {{"error", std::string(written.message())}});
  return false;
}

}  // namespace sluice::sync
