#pragma once

// The header by which a load balancer says whose connection it passes on: the PROXY protocol, versions 1 and 2
// (HAProxy, "The PROXY protocol", sections 2.1 and 2.2). Strict: whatever the specification has no place for is
// malformed. The parser is pure; reading never takes a byte from behind the header, so that TLS or HTTP may follow it.

#include <string_view>

#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"

namespace sluice::io {

inline constexpr size_t kMaxProxyLineBytes = 107;    // version 1, CRLF included
inline constexpr size_t kMaxProxyHeaderBytes = 536;  // version 2, TLVs included: what fits the smallest TCP segment

struct ProxyHeader {
  // False for LOCAL, UNKNOWN and families without IP addresses: then the connection's own endpoints hold.
  bool has_addresses = false;
  Endpoint source;
  Endpoint destination;
};

struct ProxyHeaderStep {
  enum class State : uint8_t { kMore, kComplete, kMalformed } state;
  // kMore: so many bytes are still to come at least, and may be read. kComplete: the header's size.
  size_t bytes = 0;
};

// Judges what has come of a header. A version 2 header's CRC32c is checked where there is one.
ProxyHeaderStep ParseProxyHeader(std::string_view bytes, ProxyHeader& header);

// False where the connection ends or the deadline passes before there is a header, and where there is none.
Task<bool> ReadProxyHeader(Stream& stream, MonotonicTime deadline, ProxyHeader& header);

}  // namespace sluice::io
