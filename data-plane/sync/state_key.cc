#include "data-plane/sync/state_key.h"

#include <openssl/sha.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/aead.h"
#include "common/base/random.h"
#include "common/observe/log.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

constexpr size_t kIdBytes = 8;

std::string Digest(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Beside, then renamed: no crash leaves half a key.
absl::Status Make(const std::string& path, std::string_view key) {
  const std::string beside = path + ".new";
  absl::Status status = WriteFlushed(beside, {absl::Base64Escape(absl::string_view(key.data(), key.size())), "\n"});
  if (status.ok() && rename(beside.c_str(), path.c_str()) != 0) status = SystemError("rename", beside);
  return status;
}

}  // namespace

StateKey::StateKey(std::string bytes)
    : bytes_(std::move(bytes)), id_(Digest("sluice state key id\n" + bytes_).substr(0, kIdBytes)) {}

StateKey StateKey::Random() {
  std::string bytes(kAeadKeyBytes, '\0');
  RandomBytes(bytes.data(), bytes.size());
  return StateKey(std::move(bytes));
}

absl::StatusOr<StateKey> StateKey::Parse(std::string_view from, std::string_view text) {
  const absl::string_view word = absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  std::string bytes;
  if (absl::Base64Unescape(word, &bytes) && bytes.size() == kAeadKeyBytes) return StateKey(std::move(bytes));
  return absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(from.data(), from.size()),
                   " is not 32 bytes in base64; a new one is made by: openssl rand -base64 32"));
}

absl::StatusOr<StateKey> StateKey::Open(const std::string& folder, const std::string& file, const std::string& text) {
  if (!text.empty()) return Parse("SLUICE_STATE_KEY", text);
  const std::string path = file.empty() ? folder + "/key" : file;
  std::error_code error;
  if (file.empty() && !std::filesystem::exists(path, error)) {
    std::filesystem::create_directories(folder, error);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    StateKey made = Random();
    if (const absl::Status kept = Make(path, made.bytes()); !kept.ok()) {
      log::Error("cannot keep a state key; the node serves, and after a restart has nothing to serve from its disk",
                 {{"error", std::string(kept.message())}});
    }
    return made;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::InvalidArgumentError(absl::StrCat("cannot read the state key file ", path));
  std::ostringstream content;
  content << in.rdbuf();
  return Parse(absl::StrCat("state key file ", path), std::move(content).str());
}

}  // namespace sluice::sync
