// Our HTTP/1 parser against llhttp and Boost.Beast: whatever ours accepts they accept, and read and frame identically,
// as it came and as we would send it on. Known differences are in differences.cc.

#include "catch2/catch.hpp"
#include "tests/conformance/generator.h"
#include "tests/conformance/reading.h"

namespace sluice::test {
namespace {

constexpr uint32_t kMessages = 150'000;

void CheckLiterals(Direction direction) {
  const Generator generator(direction);
  REQUIRE(generator.literals().size() > 20);
  for (const std::string& bytes : generator.literals()) {
    INFO(bytes);
    CHECK(Disagreement(bytes, direction) == "");
  }
}

// The same messages each time, so that a change is what makes them fail. SLUICE_SEED=N repeats one message,
// SLUICE_SEED=random begins anywhere.
void CheckGenerated(Direction direction) {
  Generator generator(direction);
  const char* given = std::getenv("SLUICE_SEED");
  const bool anywhere = given != nullptr && std::string_view(given) == "random";
  const bool one = given != nullptr && !anywhere;
  uint32_t first = 1;
  if (anywhere) first = std::random_device{}();
  if (one) first = static_cast<uint32_t>(std::stoul(given));
  uint32_t accepted = 0;
  for (uint32_t i = 0; i < (one ? 1 : kMessages); ++i) {
    const std::string bytes = generator.Make(first + i);
    const std::string disagreement = Disagreement(bytes, direction);
    const Reading ours = ReadAsOurs(bytes, direction);
    accepted += ours.head && ours.refusal.empty() ? 1 : 0;
    if (disagreement.empty()) continue;
    FAIL_CHECK("SLUICE_SEED=" << first + i << ": " << disagreement << "\nin:\n" << bytes);
  }
  CHECK((one || accepted > kMessages / 10));
}

TEST_CASE("the literal requests that we accept are read alike by llhttp and Beast") {
  CheckLiterals(Direction::kRequest);
}

TEST_CASE("the literal responses that we accept are read alike by llhttp and Beast") {
  CheckLiterals(Direction::kResponse);
  CheckLiterals(Direction::kResponseToHead);
}

TEST_CASE("generated requests that we accept are read alike by llhttp and Beast") {
  CheckGenerated(Direction::kRequest);
}

TEST_CASE("generated responses that we accept are read alike by llhttp and Beast") {
  CheckGenerated(Direction::kResponse);
  CheckGenerated(Direction::kResponseToHead);
}

}  // namespace
}  // namespace sluice::test
