#include "control-plane/provision/tar.h"

#include <cstdio>
#include <cstring>

#include "common/base/check.h"

namespace sluice::provision {
namespace {

constexpr size_t kBlock = 512;

struct Header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
      user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
static_assert(sizeof(Header) == kBlock);

}  // namespace

std::string TarOf(const TarFile& file) {
  Header header = {};
  SLUICE_CHECK(file.name.size() < sizeof header.name);
  std::memcpy(header.name, file.name.data(), file.name.size());
  std::snprintf(header.mode, sizeof header.mode, "%07o", file.mode);
  std::snprintf(header.uid, sizeof header.uid, "%07o", file.owner);
  std::snprintf(header.gid, sizeof header.gid, "%07o", file.owner);
  std::snprintf(header.size, sizeof header.size, "%011zo", file.content.size());
  std::snprintf(header.mtime, sizeof header.mtime, "%011o", 0u);
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  unsigned sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += reinterpret_cast<const unsigned char*>(&header)[i];
  std::snprintf(header.checksum, 7, "%06o", sum);  // then a NUL, and the space that is there
  std::string out(reinterpret_cast<const char*>(&header), kBlock);
  out += file.content;
  out.resize((out.size() + kBlock - 1) / kBlock * kBlock);
  out.resize(out.size() + 2 * kBlock);
  return out;
}

}  // namespace sluice::provision
