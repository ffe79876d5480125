#pragma once

// Values as PostgreSQL sends and receives them in binary. Stateless.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::store {

template <typename Integer>
void AppendBigEndian(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xFF);
  }
}

inline constexpr int32_t kTextOid = 25;
inline constexpr int32_t kBytesOid = 17;

// An array of one dimension and no nulls, with elements of that type.
std::string BinaryArray(const std::vector<std::string>& values, int32_t element);

}  // namespace sluice::store
