#include "common/quota/lease.h"

namespace sluice::quota {
namespace {

// FNV-1a: the same on every machine, since all members must agree.
uint32_t Hash(const std::string& text) {
  uint32_t hash = 2166136261u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 16777619u;
  return hash;
}

}  // namespace

uint32_t SafeShare(uint32_t limit, const Basis& basis, const std::string& gateway) {
  if (basis.index >= basis.members) return 0;
  const uint32_t place = (basis.index + Hash(gateway) % basis.members) % basis.members;
  return limit / basis.members + (place < limit % basis.members ? 1 : 0);
}

}  // namespace sluice::quota
