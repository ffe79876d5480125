// Responses through three parsers: what ours accepts, llhttp and Boost.Beast read and frame alike.

#include <cstdio>
#include <string>

#include "tests/conformance/reading.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {

void Run(std::string_view input) {
  for (const test::Direction direction : {test::Direction::kResponse, test::Direction::kResponseToHead}) {
    const std::string disagreement = test::Disagreement(input, direction);
    if (!disagreement.empty()) std::fprintf(stderr, "%s\n", disagreement.c_str());
    SLUICE_CHECK(disagreement.empty());
  }
}

}  // namespace sluice::fuzz
