#include "data-plane/http/target.h"

#include <algorithm>

#include "data-plane/http/syntax.h"
#include "data-plane/io/address.h"

namespace sluice::http {
namespace {

constexpr size_t kMaxHostBytes = 253;
constexpr size_t kMaxLabelBytes = 63;

bool ParsePort(std::string_view text, int& port) {
  if (text.empty() || text.size() > 5 || !syntax::AllOf(text, syntax::kDigit)) return false;
  port = 0;
  for (char c : text) port = port * 10 + (c - '0');
  return port >= 1 && port <= 65535;
}

bool CheckLabels(std::string_view host) {
  if (host.size() > kMaxHostBytes || !syntax::AllOf(host, syntax::kHost)) return false;
  for (;;) {
    const size_t dot = std::min(host.find('.'), host.size());
    if (dot == 0 || dot > kMaxLabelBytes) return false;
    if (dot == host.size()) return true;
    host.remove_prefix(dot + 1);
  }
}

// Whether the last label is a number in some notation: then the whole must be an IPv4 address, and no name.
bool EndsInNumber(std::string_view host) {
  const size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (syntax::AllOf(last, syntax::kDigit)) return true;
  return last.size() >= 2 && last[0] == '0' && syntax::Lower(last[1]) == 'x' &&
         syntax::AllOf(last.substr(2), syntax::kHex);
}

}  // namespace

bool SplitAuthority(std::string_view authority, std::string_view& host, int& port) {
  port = -1;
  size_t end;
  if (authority.starts_with('[')) {
    end = authority.find(']');
    if (end == std::string_view::npos) return false;
    ++end;
  } else {
    end = authority.find(':');
    if (end == std::string_view::npos) end = authority.size();
  }
  host = authority.substr(0, end);
  if (end < authority.size() && (authority[end] != ':' || !ParsePort(authority.substr(end + 1), port))) return false;
  if (host.starts_with('[')) return host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  return CheckLabels(name);
}

bool CanonicalHost(std::string_view authority, std::string& host, int& port) {
  std::string_view name;
  if (!SplitAuthority(authority, name, port)) return false;
  if (name.starts_with('[')) {
    const std::string address = io::CanonicalAddress(name.substr(1, name.size() - 2));
    if (address.empty() || name.find(':') == std::string_view::npos) return false;
    host = address.find(':') == std::string::npos ? address : "[" + address + "]";
    return true;
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  if (EndsInNumber(name)) {
    host = io::CanonicalAddress(name);
    return !host.empty();
  }
  host.assign(name);
  for (char& c : host) c = syntax::Lower(c);
  return true;
}

}  // namespace sluice::http
