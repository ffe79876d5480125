#pragma once

// Which addresses a gateway may reach. Pure: checked when a configuration is written, and again on the resolved address
// of every connection. Immutable once built; callable from every thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::egress {

// An IPv4 or IPv6 address in network byte order; IPv4 as ::ffff:a.b.c.d, so that both compare alike.
struct Address {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const Address&) const = default;
  bool IsV4() const;
  std::string ToString() const;
};

// Only the canonical textual forms (RFC 5952 input forms included); "127.1", "0x7f000001", "2130706433" and scoped
// addresses are errors, never names.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// True where a host is no address for ParseAddress but some notation of a number (decimal, octal, hex, short form,
// with a zone or a trailing dot) that resolvers would take for one; such hosts are refused rather than resolved.
bool LooksNumeric(std::string_view host);

struct Range {
  Address network;
  int prefix = 128;       // bits, of the 128
  uint16_t port_low = 0;  // 0 and 65535: every port
  uint16_t port_high = 65535;
  bool Contains(const Address& address, uint16_t port) const;
};

// CIDR[:port[-port]], with IPv6 in brackets where a port follows: "10.1.0.0/16", "127.0.0.1:9000", "[::1]:9000-9010".
absl::StatusOr<Range> ParseRange(std::string_view text);

// ADDRESS[/PREFIX] of any port. Bits behind the prefix count for nothing (Contains never looks at them).
absl::StatusOr<Range> ParseNetwork(std::string_view text);

struct Decision {
  bool allowed;
  // What decided: "public", "operator", "loopback", "private", "link-local", "metadata", "platform", "port", ...
  std::string_view rule;
};

// Order: the platform's own addresses (never), metadata services (never), operator's ranges (yes), everything that is
// not public (no), else yes for ports 80, 443 and those from 1024 on. IPv4-mapped, NAT64, 6to4 and Teredo addresses are
// unwrapped first; an IPv6 range never contains an IPv4 address.
class Policy {
 public:
  Policy(std::vector<Range> allow, std::vector<Range> protect)
      : allow_(std::move(allow)), protect_(std::move(protect)) {}
  Decision Check(const Address& address, uint16_t port) const;

 private:
  std::vector<Range> allow_;
  std::vector<Range> protect_;
};

}  // namespace sluice::egress
