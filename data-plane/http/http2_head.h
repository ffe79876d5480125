#pragma once

// HTTP/2 header blocks (RFC 9113 section 8), strictly: decoded fields go in one by one, the same heads as from HTTP/1.1
// come out. Counts every field that arrives, also the crumbs of a cookie and what is dropped. Pure; one a session,
// reused for every block.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data-plane/http/head.h"
#include "data-plane/http/parser.h"

namespace sluice::http {

enum class BlockVerdict : uint8_t {
  kGood,
  kMalformed,  // RFC 9113 section 8.1.1: a stream error
  kRefused,    // well-formed, but not to be served: `error` says with which status
};

class Http2HeadBuilder {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };
  void Begin(Kind kind);
  void Add(std::string_view name, std::string_view value);

  // `end`: no body follows. After kRefused the head holds what a log can use.
  BlockVerdict Request(bool end, RequestHead& out, ParseError& error);
  // `has_body` false: the response to HEAD. Interim ones (1xx) too.
  BlockVerdict Response(bool end, bool has_body, ResponseHead& out);
  BlockVerdict Trailers(Fields& out);

 private:
  enum Pseudo : uint8_t { kMethod, kScheme, kAuthority, kPath, kStatus, kPseudos };
  struct Entry {
    uint32_t name;  // offsets into bytes_
    uint32_t name_size;
    uint32_t value;
    uint32_t value_size;
  };
  struct Text {
    uint32_t at = 0;
    uint32_t size = 0;
    bool present = false;
  };
  void AddPseudo(std::string_view name, std::string_view value);
  void NoteRegular(std::string_view name, std::string_view value);
  bool Count(std::string_view name, std::string_view value);
  uint32_t Keep(std::string_view text);
  std::string_view Get(Pseudo pseudo) const;  // in bytes_
  char* CopyOut(std::unique_ptr<char[]>& bytes, Fields& fields) const;
  BlockVerdict CheckPseudo() const;
  ParseError CheckRequest(RequestHead& out) const;
  ParseError CheckAuthority(RequestHead& out) const;
  BlockVerdict DecideFraming(bool end, Framing& framing) const;

  Kind kind_ = Kind::kRequest;
  std::string bytes_;
  std::string cookie_;  // crumbs, joined
  std::vector<Entry> entries_;
  Text pseudo_[kPseudos];
  size_t counted_bytes_ = 0;
  size_t counted_fields_ = 0;
  bool malformed_ = false;
  bool too_large_ = false;
  bool path_too_long_ = false;
  bool has_length_ = false;
  uint64_t length_ = 0;
  uint32_t hosts_ = 0;
  Text host_;
  uint32_t expects_ = 0;
  bool expects_continue_ = false;
};

}  // namespace sluice::http
