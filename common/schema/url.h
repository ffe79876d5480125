#pragma once

// Hosts, ports and absolute http(s) URLs as configurations write them. Stateless.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::schema {

struct HostPort {
  std::string host;              // lower case; an IPv6 address without brackets
  std::optional<uint16_t> port;  // where written
};

// "a.test", "a.test:80", "10.0.0.1:80", "::1", "[::1]:80". Empty where it is neither.
std::optional<HostPort> ParseHostPort(std::string_view text);

// The same with the port, and IPv6 in brackets.
std::string JoinHostPort(std::string_view host, uint16_t port);

// Labels of letters, digits, - and _, at most 63 bytes each, 253 in all; a final dot is allowed. No wildcard.
bool IsHostName(std::string_view host);
bool IsIpv4(std::string_view host);
bool IsIpv6(std::string_view host);  // no brackets, no zone

struct Url {
  std::string scheme;    // "http" or "https"
  std::string userinfo;  // as written, "" where absent
  std::string host;      // lower case; IPv6 without brackets
  uint16_t port = 0;     // the scheme's where not written
  std::string path;      // "" or begins with /
  std::string query;     // without ?, "" where absent
};

// Empty where it is not an absolute http or https URL. A fragment is refused.
std::optional<Url> ParseUrl(std::string_view text);

}  // namespace sluice::schema
