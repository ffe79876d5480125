#include "data-plane/route/shared_parts.h"

#include "catch2/catch.hpp"

namespace sluice {
namespace {

using Words = Interned<std::string>;

TEST_CASE("a part is found for as long as somebody has it") {
  Words words;
  auto part = std::make_shared<const std::string>("a");
  words.Put("key", part);
  CHECK(words.Find("key") == part);
  CHECK(words.Find("other") == nullptr);
  part = nullptr;
  CHECK(words.Find("key") == nullptr);
}

TEST_CASE("parts that are gone are never most of those that are remembered") {
  Words words;
  const auto kept = std::make_shared<const std::string>("kept");
  words.Put("kept", kept);
  for (int i = 0; i < 10'000; ++i) words.Put(std::to_string(i), std::make_shared<const std::string>());
  CHECK(words.size() <= 64);
  CHECK(words.Find("kept") == kept);
}

}  // namespace
}  // namespace sluice
