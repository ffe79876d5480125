#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/egress/policy.h"

namespace sluice::egress {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr size_t kMaxAddressText = 45;  // eight groups with an embedded IPv4 address
constexpr int kMappedBits = 96;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A decimal number without sign, blanks or leading zeros; -1 where it is none or above `max`.
int ParseSmallNumber(std::string_view text, int max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return -1;
  int value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  return value <= max ? value : -1;
}

absl::Status RangeError(std::string_view text, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("\"", std::string(text), "\" is not CIDR[:port[-port]]: ", why));
}

absl::Status ParsePorts(std::string_view text, std::string_view ports, Range& range) {
  const size_t dash = ports.find('-');
  const int low = ParseSmallNumber(ports.substr(0, dash), 65535);
  const int high = dash == std::string_view::npos ? low : ParseSmallNumber(ports.substr(dash + 1), 65535);
  if (low < 1 || high < 1) return RangeError(text, "a port is a number from 1 to 65535");
  if (low > high) return RangeError(text, "the first port is above the last one");
  range.port_low = static_cast<uint16_t>(low);
  range.port_high = static_cast<uint16_t>(high);
  return absl::OkStatus();
}

bool HasBitsBehindPrefix(const Address& address, int prefix) {
  for (int bit = prefix; bit < 128; ++bit) {
    if (address.bytes[bit / 8] & (0x80 >> (bit % 8))) return true;
  }
  return false;
}

// Splits into "address[/prefix]" and the ports behind it; false where brackets do not pair up.
bool SplitRange(std::string_view text, std::string& cidr, std::string_view& ports, bool& has_ports) {
  has_ports = false;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    cidr = std::string(text.substr(1, close - 1));
    std::string_view rest = text.substr(close + 1);
    if (rest.starts_with('/')) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      cidr += rest.substr(0, colon);
      rest = rest.substr(colon);
    }
    has_ports = rest.starts_with(':');
    if (has_ports) ports = rest.substr(1);
    return has_ports || rest.empty();
  }
  const size_t colon = text.find(':');
  has_ports = colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  cidr = std::string(has_ports ? text.substr(0, colon) : text);
  if (has_ports) ports = text.substr(colon + 1);
  return true;
}

// ADDRESS[/PREFIX], bits behind the prefix as they are. Errors show the whole `text`.
absl::StatusOr<Range> ParseCidr(std::string_view text, std::string_view cidr) {
  const size_t slash = cidr.find('/');
  auto network = ParseAddress(cidr.substr(0, slash));
  if (!network.ok()) return RangeError(text, std::string(network.status().message()));
  Range range{.network = *network};
  if (slash != std::string_view::npos) {
    // Dotted text counts 32 bits, everything else (mapped addresses included) all 128.
    const bool dotted = cidr.find(':') == std::string_view::npos;
    const int bits = ParseSmallNumber(cidr.substr(slash + 1), dotted ? 32 : 128);
    if (bits < 0) return RangeError(text, "the prefix length is not a number within the address");
    range.prefix = dotted ? bits + kMappedBits : bits;
  }
  return range;
}

}  // namespace

bool Address::IsV4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string Address::ToString() const {
  char text[INET6_ADDRSTRLEN];
  if (IsV4()) {
    inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  // inet_pton takes the forms of RFC 4291 and no others: no octal, no short form, no zone. It reads up to a NUL.
  char terminated[kMaxAddressText + 1] = {};
  const bool is_text = text.size() <= kMaxAddressText && text.find('\0') == std::string_view::npos;
  if (is_text) std::memcpy(terminated, text.data(), text.size());
  Address address;
  if (text.find(':') != std::string_view::npos) {
    if (is_text && inet_pton(AF_INET6, terminated, address.bytes.data()) == 1) return address;
    return absl::InvalidArgumentError("not an IPv4 or IPv6 address");
  }
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  if (is_text && inet_pton(AF_INET, terminated, address.bytes.data() + kMappedPrefix.size()) == 1) return address;
  return absl::InvalidArgumentError("not an IPv4 or IPv6 address");
}

bool LooksNumeric(std::string_view host) {
  if (ParseAddress(host).ok()) return false;
  if (host.find(':') != std::string_view::npos || host.find('%') != std::string_view::npos) return true;
  if (host.ends_with('.')) host.remove_suffix(1);
  // No top-level domain is a number, so a last label that is one is part of an address (the URL standard's rule).
  const size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.empty()) return false;
  if (std::all_of(last.begin(), last.end(), IsDigit)) return true;
  return last.size() >= 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X') &&
         std::all_of(last.begin() + 2, last.end(), IsHexDigit);
}

bool Range::Contains(const Address& address, uint16_t port) const {
  if (port < port_low || port > port_high) return false;
  // Where the prefix covers what marks an IPv4 address, comparing it settles the family as well.
  if (prefix < kMappedBits && address.IsV4() != network.IsV4()) return false;
  const auto whole = static_cast<size_t>(prefix / 8);
  if (std::memcmp(network.bytes.data(), address.bytes.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  return rest == 0 || ((network.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

absl::StatusOr<Range> ParseRange(std::string_view text) {
  std::string cidr;
  std::string_view ports;
  bool has_ports;
  if (!SplitRange(text, cidr, ports, has_ports)) return RangeError(text, "the brackets do not pair up");
  auto range = ParseCidr(text, cidr);
  if (!range.ok()) return range.status();
  if (HasBitsBehindPrefix(range->network, range->prefix)) return RangeError(text, "bits are set behind the prefix");
  if (has_ports) {
    if (absl::Status status = ParsePorts(text, ports, *range); !status.ok()) return status;
  }
  return range;
}

absl::StatusOr<Range> ParseNetwork(std::string_view text) { return ParseCidr(text, text); }

}  // namespace sluice::egress
