#include "common/base/random.h"

#include <set>

#include "catch2/catch.hpp"

namespace sluice {
namespace {

TEST_CASE("a UUID says that it is random") {
  const std::string uuid = RandomUuid();
  REQUIRE(uuid.size() == 36);
  CHECK(uuid[14] == '4');
  CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
  for (size_t dash : {8, 13, 18, 23}) CHECK(uuid[dash] == '-');
}

TEST_CASE("two UUIDs differ") { CHECK(RandomUuid() != RandomUuid()); }

TEST_CASE("a UUID of a time begins with it, and differs from the next") {
  const std::string uuid = TimeOrderedUuid(0x0123456789ab), next = TimeOrderedUuid(0x0123456789ab);
  CHECK(uuid.substr(0, 15) == "01234567-89ab-7");
  CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
  CHECK(uuid.size() == 36);
  CHECK(uuid != next);
}

TEST_CASE("no bytes are handed out twice, whatever the sizes that are asked for") {
  std::set<std::string> seen;
  for (size_t i = 0; i < 3000; ++i) {
    std::string bytes(12 + i % 6, '\0');  // on both sides of what comes from a store
    RandomBytes(bytes.data(), bytes.size());
    CHECK(seen.insert(bytes.substr(0, 12)).second);
  }
}

TEST_CASE("hexadecimal digits are as many as asked for and lower case") {
  CHECK(RandomHex(0).empty());
  CHECK(RandomHex(33).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(RandomHex(33).size() == 33);
}

TEST_CASE("every letter and digit comes up") {
  const std::string text = RandomAlphanumeric(20'000);
  CHECK(std::set<char>(text.begin(), text.end()).size() == 62);
  CHECK(text.size() == 20'000);
}

}  // namespace
}  // namespace sluice
