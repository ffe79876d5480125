#include "common/schema/url.h"

#include <arpa/inet.h>

#include <algorithm>

#include "common/schema/text.h"

namespace sluice::schema {
namespace {

constexpr size_t kMaxHostName = 253;
constexpr size_t kMaxLabel = 63;

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  uint32_t port = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

bool IsUrlByte(char c) {
  return IsAlnum(c) || (c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos);
}

bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return IsAlnum(c) || c == '-' || c == '_'; });
}

// No text of an address is longer than inet_pton's own buffers.
bool IsAddress(int family, std::string_view host) {
  char text[INET6_ADDRSTRLEN] = {};
  if (host.size() >= sizeof text || host.find('\0') != std::string_view::npos) return false;
  std::copy(host.begin(), host.end(), text);
  in6_addr address;
  return inet_pton(family, text, &address) == 1;
}

}  // namespace

bool IsIpv4(std::string_view host) {
  return IsAddress(AF_INET, host);
}

bool IsIpv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && IsAddress(AF_INET6, host);
}

bool IsHostName(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kMaxHostName) return false;
  for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.')) {
    if (!IsLabel(host.substr(0, dot))) return false;
    host.remove_prefix(dot + 1);
  }
  return IsLabel(host);
}

std::optional<HostPort> ParseHostPort(std::string_view text) {
  if (IsIpv6(text)) return HostPort{Lower(text), std::nullopt};
  std::string_view host = text;
  std::optional<uint16_t> port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty()) {
      if (rest.front() != ':' || !(port = ParsePort(rest.substr(1)))) return std::nullopt;
    }
    if (!IsIpv6(host)) return std::nullopt;
    return HostPort{Lower(host), port};
  }
  if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = ParsePort(text.substr(colon + 1));
    if (!port) return std::nullopt;
  }
  if (!IsHostName(host)) return std::nullopt;
  return HostPort{Lower(host), port};
}

std::string JoinHostPort(std::string_view host, uint16_t port) {
  return host.find(':') != std::string_view::npos ? Cat("[", host, "]:", port) : Cat(host, ":", port);
}

std::optional<Url> ParseUrl(std::string_view text) {
  Url url;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  url.scheme = Lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  for (char c : text) {
    if (!IsUrlByte(c) || c == '#') return std::nullopt;
  }
  std::string_view authority = text.substr(0, text.find_first_of("/?"));
  std::string_view rest = text.substr(authority.size());
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  auto host = ParseHostPort(authority);
  // A bare IPv6 address is not an authority: without brackets its last group could be a port.
  if (!host || (IsIpv6(authority)) || host->port == uint16_t{0}) return std::nullopt;
  url.host = host->host;
  url.port = host->port.value_or(url.scheme == "https" ? 443 : 80);
  const size_t question = rest.find('?');
  url.path = std::string(rest.substr(0, question));
  if (question != std::string_view::npos) url.query = std::string(rest.substr(question + 1));
  return url;
}

}  // namespace sluice::schema
