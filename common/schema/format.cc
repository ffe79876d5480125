#include "common/schema/format.h"

#include <algorithm>

#include "common/schema/options.h"
#include "common/schema/regex.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::schema {
namespace {

constexpr size_t kMaxShown = 128;

std::string Shown(std::string_view text) {
  std::string shown = EscapeBytes(text.substr(0, kMaxShown));
  return text.size() > kMaxShown ? shown + "..." : shown;
}

std::string Invalid(std::string_view text, std::string_view why) {
  return Cat("invalid value '", Shown(text), "': ", why);
}

bool IsUnreserved(char c) {
  return IsAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool IsOneOf(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

std::string Uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  bool good = text.size() == kShape.size();
  const size_t size = good ? text.size() : 0;
  for (size_t i = 0; i < size; ++i) {
    // The digits of an id are random: a branch on each would be mispredicted half the time.
    const unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    const unsigned letter = (static_cast<unsigned char>(text[i]) | 0x20u) - unsigned{'a'};
    good &= kShape[i] == '-' ? text[i] == '-' : (digit < 10) | (letter < 6);
  }
  return good ? "" : Invalid(text, "expected a UUID such as 3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a");
}

std::string Name(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !IsUnreserved(c)) {
      return Invalid(text, "the only accepted ascii characters are alphanumerics or ., -, _, and ~");
    }
  }
  return text.empty() ? "length must be at least 1" : "";
}

std::string Tag(std::string_view text) {
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == ',' || c == '/') {
      return Invalid(text, "expected printable characters except ',' and '/'");
    }
  }
  return text.empty() ? "length must be at least 1" : "";
}

std::string Host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']') && IsIpv6(text.substr(1, text.size() - 2))) return "";
  if (IsIpv6(text) || IsHostName(text)) return "";
  auto with_port = ParseHostPort(text);
  if (with_port && with_port->port) return Invalid(text, "must not have a port");
  return Invalid(text, "expected a host name or an address");
}

std::string RouteHost(std::string_view text) {
  const auto stars = std::count(text.begin(), text.end(), '*');
  if (stars == 0) {
    auto host = ParseHostPort(text);
    return host && host->port != uint16_t{0} ? ""
                                             : Invalid(text, "expected a host name or an address, and a port if any");
  }
  if (stars > 1) return Invalid(text, "only one wildcard must be specified");
  std::string_view host = text.substr(0, text.find(':'));
  if (!host.starts_with("*.") && !host.ends_with(".*")) {
    return Invalid(text, "wildcard must be leftmost or rightmost character");
  }
  std::string plain(text);
  plain[plain.find('*')] = 'x';  // a wildcard stands where a label could
  auto parsed = ParseHostPort(plain);
  return parsed && parsed->port != uint16_t{0}
             ? ""
             : Invalid(text, "expected a host name with a wildcard, and a port if any");
}

std::string Path(std::string_view text) {
  if (!text.starts_with('/')) return Invalid(text, "must start with: /");
  if (text.find("//") != std::string_view::npos) return Invalid(text, "must not have empty segments");
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2])) {
        return Invalid(text, Cat("invalid url-encoded value: '", Shown(text.substr(i, 3)), "'"));
      }
    } else if (!IsUnreserved(text[i]) && !IsOneOf(text[i], "!$&'()*+,;=:@/")) {
      return Invalid(text, "characters outside of the reserved list of RFC 3986 found; percent-encode them");
    }
  }
  // Nothing else is ever written another way.
  if (text.find('%') == std::string_view::npos && text.find("/.") == std::string_view::npos) return "";
  const std::string normal = NormalizePath(text);
  return normal == text ? "" : Cat("non-normalized path, consider use '", Shown(normal), "' instead");
}

std::string Regex(std::string_view text) {
  auto regex = CompileRegex(text);
  return regex.ok() ? "" : std::string(regex.status().message());
}

std::string RoutePath(std::string_view text) {
  if (text.starts_with("~/")) return Regex(text.substr(1));
  if (text.starts_with('/')) return Path(text);
  return Invalid(text, "should start with: / (fixed path) or ~/ (regex path)");
}

std::string Method(std::string_view text) {
  const bool good = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return good ? "" : Invalid(text, "expected upper-case letters, as in GET");
}

std::string HeaderName(std::string_view text) {
  const bool good = !text.empty() && std::all_of(text.begin(), text.end(),
                                                 [](char c) { return IsAlnum(c) || IsOneOf(c, "!#$%&'*+-.^_`|~"); });
  return good ? "" : Invalid(text, "bad header name, allowed characters are letters, digits and !#$%&'*+-.^_`|~");
}

std::string UrlError(std::string_view text) {
  // The text may hold a password: it is not repeated.
  return ParseUrl(text) ? "" : "expected an absolute URL such as https://example.com/path";
}

std::string IpOrCidr(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const bool v4 = IsIpv4(address);
  bool good = v4 || IsIpv6(address);
  if (good && slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    good = !digits.empty() && digits.size() <= 3 && (digits.size() == 1 || digits[0] != '0') &&
           std::all_of(digits.begin(), digits.end(), IsDigit) &&
           std::stoi(std::string(digits)) <= (v4 ? 32 : 128);
  }
  return good ? "" : Invalid(text, "invalid ip or cidr range");
}

std::string TargetError(std::string_view text) {
  auto target = ParseHostPort(text);
  if (target && target->port != uint16_t{0}) return "";
  return Invalid(text, "not a valid hostname or ip address, and a port if any");
}

}  // namespace

std::string NormalizePath(std::string_view path) {
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%' || path.size() - i < 3 || !IsHexDigit(path[i + 1]) || !IsHexDigit(path[i + 2])) {
      decoded.push_back(path[i]);
      continue;
    }
    const std::string digits = Upper(path.substr(i + 1, 2));
    const char byte = static_cast<char>(std::stoi(digits, nullptr, 16));
    if (IsUnreserved(byte)) {
      decoded.push_back(byte);
    } else {
      decoded += Cat("%", digits);
    }
    i += 2;
  }
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = Split(decoded, '/');
  for (size_t i = 1; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.push_back("");
    } else if (segments[i] == ".") {
      if (last) kept.push_back("");
    } else if (!segments[i].empty() || last) {
      kept.push_back(segments[i]);
    }
  }
  return Cat("/", JoinText(kept, "/"));
}

std::string FormatError(v1::Format format, std::string_view text) {
  switch (format) {
    case v1::FORMAT_UUID:
      return Uuid(text);
    case v1::FORMAT_NAME:
      return Name(text);
    case v1::FORMAT_TAG:
      return Tag(text);
    case v1::FORMAT_HOST:
      return Host(text);
    case v1::FORMAT_ROUTE_HOST:
      return RouteHost(text);
    case v1::FORMAT_PATH:
      return Path(text);
    case v1::FORMAT_ROUTE_PATH:
      return RoutePath(text);
    case v1::FORMAT_METHOD:
      return Method(text);
    case v1::FORMAT_HEADER_NAME:
      return HeaderName(text);
    case v1::FORMAT_URL:
      return UrlError(text);
    case v1::FORMAT_IP_OR_CIDR:
      return IpOrCidr(text);
    case v1::FORMAT_TARGET:
      return TargetError(text);
    case v1::FORMAT_REGEX:
      return Regex(text);
    default:
      return "";
  }
}

}  // namespace sluice::schema
