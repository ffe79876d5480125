#pragma once

// What request heads and response heads have in common: lines, versions, fields, lengths. Private to this folder. Pure.

#include <cstdint>
#include <memory>
#include <string_view>

#include "data-plane/http/head.h"
#include "data-plane/http/parser.h"

namespace sluice::http::internal {

// The lines of a head, in a copy of its own.
class LineReader {
 public:
  LineReader(std::string_view head, std::unique_ptr<char[]>& copy);

  struct Line {
    char* begin = nullptr;
    size_t size = 0;                // without its CRLF
    const char* error = nullptr;    // "bare-lf", "bare-cr"
    std::string_view text() const { return {begin, size}; }
  };
  Line Next();
  void SkipEmptyLine();  // one
  bool AtEnd() const { return at_ == end_; }

 private:
  char* at_;
  char* end_;
};

// What the fields say about the message itself.
struct FieldBlock {
  uint32_t hosts = 0;
  uint32_t lengths = 0;
  uint32_t codings = 0;
  uint32_t expects = 0;
  uint32_t upgrades = 0;
  std::string_view host;
  std::string_view length;
  std::string_view coding;
  std::string_view expect;
  std::string_view upgrade_to;
  // Of Connection:
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool alias = false;             // "Content_Length" or "Transfer_Encoding", which some servers take for the real ones
  bool bad_connection = false;    // not a list of tokens
  bool protected_named = false;   // IsProtectedFromConnection
};

// Everything up to the empty line, which must be the end of the head.
ParseError ParseFields(LineReader& lines, Fields& fields, FieldBlock& block);

// Exactly "HTTP/1.0" or "HTTP/1.1"; 505 for other versions, 400 for what is no version.
ParseError ParseVersion(std::string_view text, Protocol& protocol);

// Decimal digits, no sign, no leading zero, below 2^63.
bool ParseLength(std::string_view text, uint64_t& length);

// Of a request; of a response whose status and method allow a body, where `framing` stays kNone without either field.
ParseError DecideFraming(const FieldBlock& block, Protocol protocol, Framing& framing);

}  // namespace sluice::http::internal
