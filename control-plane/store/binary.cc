#include "control-plane/store/binary.h"

namespace sluice::store {

// Dimensions, no nulls, the elements' type; of the dimension its length and where it begins; then length and bytes of
// each.
std::string BinaryTextArray(const std::vector<std::string>& values) {
  constexpr int32_t kTextOid = 25;
  size_t size = 20;
  for (const std::string& value : values) size += sizeof(int32_t) + value.size();
  std::string out;
  out.reserve(size);
  for (const int32_t word : {values.empty() ? 0 : 1, 0, kTextOid}) AppendBigEndian(out, word);
  if (values.empty()) return out;
  for (const int32_t word : {static_cast<int32_t>(values.size()), 1}) AppendBigEndian(out, word);
  for (const std::string& value : values) {
    AppendBigEndian(out, static_cast<int32_t>(value.size()));
    out += value;
  }
  return out;
}

}  // namespace sluice::store
