// JSON strings of logs: one line, closed by its quote and not before, valid UTF-8 whatever the text.

#include <string>

#include "common/observe/log.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

// The length of the well-formed UTF-8 sequence at the start (Unicode table 3-7), 0 where there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto tail = [byte](size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = first == 0xe0 ? byte(1) >= 0xa0 : first == 0xed ? byte(1) <= 0x9f : true;
    return second && tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = first == 0xf0 ? byte(1) >= 0x90 : first == 0xf4 ? byte(1) <= 0x8f : true;
    return second && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void CheckString(std::string_view json) {
  SLUICE_CHECK(json.size() >= 2 && json.front() == '"' && json.back() == '"');
  json = json.substr(1, json.size() - 2);
  while (!json.empty()) {
    SLUICE_CHECK(static_cast<unsigned char>(json[0]) >= 0x20 && json[0] != '"');
    size_t size = SequenceLength(json);
    SLUICE_CHECK(size > 0);
    if (json[0] == '\\') {
      SLUICE_CHECK(json.size() >= 2 && std::string_view("\"\\/bfnrtu").find(json[1]) != std::string_view::npos);
      size = json[1] == 'u' ? 6 : 2;
      SLUICE_CHECK(json.size() >= size);
      SLUICE_CHECK(size == 2 || json.find_first_not_of("0123456789abcdefABCDEF", 2) >= 6);
    }
    json.remove_prefix(size);
  }
}

}  // namespace

void Run(std::string_view input) {
  std::string json;
  log::AppendJsonString(json, input);
  CheckString(json);
  const std::string line = log::Format(log::Level::kInfo, input, {{"name", input}});
  SLUICE_CHECK(line.find('\n') == line.size() - 1);
}

}  // namespace sluice::fuzz
