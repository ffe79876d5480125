#include "data-plane/balance/hashing.h"

#include <cmath>

namespace sluice {
namespace {

// The finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of the input decides every bit of the result.
uint64_t Scatter(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Scatter(hash);
}

double ScoreOf(uint64_t slot, uint64_t target_hash, uint32_t weight) {
  const uint64_t bits = Scatter(target_hash ^ Scatter(slot + 0x9e3779b97f4a7c15));
  const double uniform = (static_cast<double>(bits >> 11) + 0.5) / 9007199254740992.0;  // in (0, 1)
  return -static_cast<double>(weight) / std::log(uniform);
}

}  // namespace sluice
