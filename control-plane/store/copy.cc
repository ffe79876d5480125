#include "control-plane/store/copy.h"

#include "control-plane/store/binary.h"

namespace sluice::store {

// PostgreSQL manual, COPY, "Binary Format": a signature, flags and the length of an extension; then rows, each with the
// number of its fields and each of these with its length; then -1.
CopyRows::CopyRows(int16_t columns) : columns_(columns), bytes_("PGCOPY\n\377\r\n\0", 11) {
  bytes_.append(2 * sizeof(int32_t), '\0');
}

CopyRows& CopyRows::Row() {
  AppendBigEndian(bytes_, columns_);
  return *this;
}

CopyRows& CopyRows::Text(std::string_view value) {
  AppendBigEndian(bytes_, static_cast<int32_t>(value.size()));
  bytes_ += value;
  return *this;
}

template <typename Integer>
CopyRows& CopyRows::Number(Integer value) {
  AppendBigEndian(bytes_, int32_t{sizeof value});
  AppendBigEndian(bytes_, value);
  return *this;
}

CopyRows& CopyRows::Short(int16_t value) { return Number(value); }
CopyRows& CopyRows::Int(int32_t value) { return Number(value); }
CopyRows& CopyRows::Long(int64_t value) { return Number(value); }
CopyRows& CopyRows::Bool(bool value) { return Number(static_cast<int8_t>(value)); }

CopyRows& CopyRows::TextArray(const std::vector<std::string>& values) { return Text(BinaryTextArray(values)); }

std::string CopyRows::Finish() && {
  AppendBigEndian(bytes_, int16_t{-1});
  return std::move(bytes_);
}

}  // namespace sluice::store
