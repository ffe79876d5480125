#include "data-plane/sync/crash_guard.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

std::string Digest(const std::string& bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Nothing where there is none, or where it does not parse: then nothing is known of crashes.
v1::Trials Read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  v1::Trials trials;
  if (!trials.ParseFromString(std::move(text).str())) trials.Clear();
  return trials;
}

}  // namespace

CrashGuard::CrashGuard(const std::string& folder, std::string build) : path_(folder + "/trying") {
  const v1::Trials left = Read(path_);
  on_disk_ = access(path_.c_str(), F_OK) == 0;
  if (left.build() == build) {
    for (const v1::Trial& suspect : left.suspects()) suspects_[suspect.digest()] = suspect;
    for (const v1::Trial& tried : left.trying()) {
      const int crashes = suspects_[tried.digest()].crashes() + 1;
      suspects_[tried.digest()] = tried;
      suspects_[tried.digest()].set_crashes(crashes);
    }
    if (left.trying_size() > 0) {
      log::Error("the node ended while it tried configurations; each is tried alone once more",
                 {{"configurations", absl::StrCat(left.trying_size())},
                  {"first", left.trying(0).gateway_id()},
                  {"revision", absl::StrCat(left.trying(0).revision())}});
    }
  }
  trials_.set_build(std::move(build));
  Write();
}

CrashGuard::Advice CrashGuard::For(const std::string& config) const {
  if (suspects_.empty()) return Advice::kTogether;
  const auto suspect = suspects_.find(Digest(config));
  if (suspect == suspects_.end()) return Advice::kTogether;
  return suspect->second.crashes() >= kMaxCrashes ? Advice::kNever : Advice::kAlone;
}

void CrashGuard::Trying(std::span<const Candidate> candidates) {
  for (const Candidate& candidate : candidates) {
    if (candidate.config == nullptr) continue;
    v1::Trial& trial = *trials_.add_trying();
    trial.set_gateway_id(candidate.gateway_id);
    trial.set_revision(candidate.revision);
    trial.set_digest(Digest(*candidate.config));
  }
  Write();
}

void CrashGuard::Done() {
  const auto cleared = [&](const v1::Trial& suspect) {
    return std::any_of(trials_.trying().begin(), trials_.trying().end(), [&](const v1::Trial& tried) {
      return tried.digest() == suspect.digest() ||
             (tried.gateway_id() == suspect.gateway_id() && tried.revision() > suspect.revision());
    });
  };
  absl::erase_if(suspects_, [&](const auto& entry) { return cleared(entry.second); });
  trials_.clear_trying();
  Write();
}

void CrashGuard::Forget(const std::string& gateway_id) {
  const auto forgotten =
      absl::erase_if(suspects_, [&](const auto& entry) { return entry.second.gateway_id() == gateway_id; });
  if (forgotten > 0) Write();
}

// Not flushed to the disk: a configuration crashes the process, not the system. That keeps a mark to some microseconds.
void CrashGuard::Write() {
  if (trials_.trying().empty() && suspects_.empty()) {
    if (on_disk_) unlink(path_.c_str());
    on_disk_ = false;
    return;
  }
  v1::Trials whole = trials_;
  for (const auto& [digest, suspect] : suspects_) *whole.add_suspects() = suspect;
  const std::string beside = path_ + ".new";
  absl::Status status = WriteUnflushed(beside, whole.SerializeAsString());
  if (status.ok() && rename(beside.c_str(), path_.c_str()) != 0) status = SystemError("rename", beside);
  on_disk_ = on_disk_ || status.ok();
  if (!status.ok() && !failed_) {
    log::Error("cannot mark what is tried; a configuration that crashes the node would not be recognised",
               {{"error", std::string(status.message())}});
  }
  failed_ = !status.ok();
}

}  // namespace sluice::sync
