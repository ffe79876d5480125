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

// A text[] of one dimension and no nulls.
std::string BinaryTextArray(const std::vector<std::string>& values);

}  // namespace sluice::store
