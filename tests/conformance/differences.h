#pragma once

// Where our parser takes what another refuses, or reads it otherwise, and is right: each with its reason. Pure.

#include <string_view>

#include "tests/conformance/reading.h"

namespace sluice::test {

enum class Other { kLlhttp, kBeast };

struct KnownDifference {
  std::string_view name;
  Other other;
  bool (*applies)(std::string_view bytes, const Reading& ours, Direction direction);
  std::string_view reason;
};

// Whether one of the known differences is in this message. Then that parser is not asked.
bool IsKnown(Other other, std::string_view bytes, const Reading& ours, Direction direction);

}  // namespace sluice::test
