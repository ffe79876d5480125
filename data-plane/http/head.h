#pragma once

// The heads of a request and of a response, as one value each, whatever protocol version brought them. Views point into
// `bytes`, which the head owns; a head is filled once and then changed only through its fields.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data-plane/http/fields.h"

namespace sluice::http {

// How the end of a body is found (RFC 9112 section 6.3), decided once, by the parser.
struct Framing {
  enum class Kind : uint8_t { kNone, kLength, kChunked, kUntilClose } kind = Kind::kNone;
  uint64_t length = 0;  // of kLength
};

enum class Protocol : uint8_t { kHttp10, kHttp11, kHttp2 };

struct RequestHead {
  std::unique_ptr<char[]> bytes;
  Protocol protocol = Protocol::kHttp11;
  std::string_view method;
  std::string_view target;     // as sent, origin-form or "*"; absolute-form has been split into authority and this
  std::string_view path;       // of the target, before '?', as sent
  std::string_view query;      // after '?', without it
  bool has_query = false;      // "/a?" has an empty one
  std::string_view authority;  // Host or absolute-form's (equal or refused), as sent; "" only in HTTP/1.0 without Host
  Fields fields;
  Framing framing;
  bool keep_alive = true;      // what the client asks for, by version and Connection
  bool expect_continue = false;
  bool upgrade_websocket = false;  // a GET without a body that asks for exactly that; other upgrades are ignored
};

struct ResponseHead {
  std::unique_ptr<char[]> bytes;
  Protocol protocol = Protocol::kHttp11;
  int status = 0;
  std::string_view reason;
  Fields fields;
  Framing framing;
  bool keep_alive = true;
};

}  // namespace sluice::http
