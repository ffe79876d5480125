#pragma once

// One HTTP/1 message as a parser reads it from the start of some bytes that end with the connection: ours, llhttp's
// (strict) and Boost.Beast's. Pure; the parsers keep nothing between calls.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

enum class Direction { kRequest, kResponse, kResponseToHead };

struct Reading {
  std::string refusal;  // "" where it was accepted
  bool head = false;    // whether the head is complete
  bool whole = false;   // whether the message is
  std::string method;
  std::string target;  // origin-form where it is ours, as sent where it is another's
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // what there is of it
  size_t size = 0;   // bytes up to the next message, where this one is whole
};

Reading ReadAsOurs(std::string_view bytes, Direction direction);
Reading ReadAsLlhttp(std::string_view bytes, Direction direction);
Reading ReadAsBeast(std::string_view bytes, Direction direction);

// What our parser reads from `bytes` as we would send it on: written by our writer, in chunks where it came in chunks.
std::string WriteAsOurs(std::string_view bytes, Direction direction);

// What another parser says against ours: "" where ours refuses or both read the same; else one line naming the parser
// and what differs. Looks at every message in `bytes` and at what we would send on for it.
std::string Disagreement(std::string_view bytes, Direction direction);

}  // namespace sluice::test
