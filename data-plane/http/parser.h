#pragma once

// HTTP/1.1 heads, strictly (RFC 9112): one meaning or an error. The caller collects a complete head first
// (FindHeadEnd), bounded, then parses it in one pass. Pure functions over bytes.

#include <cstddef>
#include <string_view>

#include "data-plane/http/head.h"

namespace sluice::http {

inline constexpr size_t kMaxRequestLine = 8 * 1024;     // 414
inline constexpr size_t kMaxHeadBytes = 32 * 1024;      // decoded, +32 a field: 431
inline constexpr size_t kMaxFields = 100;               // 431
inline constexpr size_t kFieldOverhead = 32;

// The size of the head including its empty line, or 0 while it is incomplete. `scanned` carries over what earlier calls
// have looked at, so that a head arriving byte by byte costs no more than once through. Leading CRLFs (at most one)
// before a request line are part of the head. Bytes that can no longer become a valid head (a bare CR or LF) count as
// complete, so that parsing refuses them at once rather than the clock later.
size_t FindHeadEnd(std::string_view buffer, size_t& scanned);

// What a head is refused for. The name is the access log's and the metric's reason.
struct ParseError {
  int status = 0;  // 400, 405, 414, 417, 431, 501, 505; 0: no error
  std::string_view reason;  // "bare-lf", "duplicate-host", "length-with-chunked", ...
  explicit operator bool() const { return status != 0; }
};

// The reason of three words that name neither a version of HTTP nor a path, as a broken preface of HTTP/2 may be:
// whoever says so on a new connection would not understand an answer.
inline constexpr std::string_view kForeignProtocol = "foreign-protocol";

// Whether a head that is still incomplete has grown past the bounds (414, 431) already.
ParseError CheckIncompleteHead(std::string_view buffer);

// `head` is exactly FindHeadEnd bytes; they are copied. The head's connection-specific fields are kept (the proxy
// strips them); its framing fields are consistent.
ParseError ParseRequestHead(std::string_view head, RequestHead& out);

// The request's method decides the framing (HEAD has no body); 1xx, 204 and 304 have none. The status of errors is 502.
ParseError ParseResponseHead(std::string_view head, std::string_view request_method, ResponseHead& out);

}  // namespace sluice::http
