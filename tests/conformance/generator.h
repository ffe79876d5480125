#pragma once

// Messages out of a seed: the literal ones of tests/fuzz/corpus, changed, cut and joined at random, and messages put
// together from parts of which each is sometimes odd. The same seed gives the same bytes.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/conformance/reading.h"

namespace sluice::test {

class Generator {
 public:
  explicit Generator(Direction direction);
  const std::vector<std::string>& literals() const { return literals_; }
  std::string Make(uint32_t seed);

 private:
  std::string Compose();
  void Change(std::string& text);
  const std::string& OneOf(const std::vector<std::string>& list) { return list[random_() % list.size()]; }
  bool OneIn(uint32_t n) { return random_() % n == 0; }

  Direction direction_;
  std::vector<std::string> literals_;
  std::mt19937 random_;
};

}  // namespace sluice::test
