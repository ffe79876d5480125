#include "control-plane/provision/fingerprint.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "absl/strings/escaping.h"
#include "common/base/text.h"

namespace sluice::provision {
namespace {

constexpr size_t kPrintDigits = 32;

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void Add(const void* bytes, size_t size) { EVP_DigestUpdate(context_.get(), bytes, size); }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

}  // namespace

std::string FingerprintOf(std::string_view text) {
  Sha256 sum;
  sum.Add(text.data(), text.size());
  return sum.Hex().substr(0, kPrintDigits);
}

absl::StatusOr<std::string> Fingerprints::Of(const std::vector<std::string>& command,
                                             const std::vector<std::string>& inputs) {
  Sha256 sum;
  std::vector<std::string> files = {command.front()};
  files.insert(files.end(), inputs.begin(), inputs.end());
  for (const std::string& path : files) {
    auto digest = Digest(path);
    if (!digest.ok()) return digest.status();
    sum.Add(digest->data(), digest->size());
  }
  for (const std::string& word : command) sum.Add(word.c_str(), word.size() + 1);
  return sum.Hex().substr(0, kPrintDigits);
}

absl::StatusOr<std::string> Fingerprints::Digest(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) {
    return absl::NotFoundError(Cat("cannot read ", path, ": ", std::strerror(errno)));
  }
  const std::string stamp = Cat(file.st_dev, ":", file.st_ino, ":", file.st_size, ":", file.st_mtim.tv_sec, ".",
                                file.st_mtim.tv_nsec);
  Known& known = known_[path];
  if (known.stamp == stamp) return known.digest;
  std::ifstream in(path, std::ios::binary);
  Sha256 sum;
  char chunk[65536];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) sum.Add(chunk, static_cast<size_t>(in.gcount()));
  if (!in.eof()) return absl::NotFoundError(Cat("cannot read ", path));
  known = {stamp, sum.Hex()};
  return known.digest;
}

}  // namespace sluice::provision
