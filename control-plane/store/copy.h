#pragma once

// The rows of one COPY ... FROM STDIN (FORMAT binary), which puts hundreds of rows into a table for a part of what an
// INSERT costs. The values of a row are in the order of the statement's columns, and of exactly their types.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::store {

class CopyRows {
 public:
  explicit CopyRows(int16_t columns);
  CopyRows& Row();  // begins the next one
  CopyRows& Text(std::string_view value);  // text, bytea
  CopyRows& Short(int16_t value);          // smallint
  CopyRows& Int(int32_t value);            // integer
  CopyRows& Long(int64_t value);           // bigint
  CopyRows& Bool(bool value);
  CopyRows& TextArray(const std::vector<std::string>& values);  // text[]
  std::string Finish() &&;                                      // what is sent

 private:
  template <typename Integer>
  CopyRows& Number(Integer value);

  const int16_t columns_;
  std::string bytes_;
};

}  // namespace sluice::store
