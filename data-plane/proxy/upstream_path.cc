#include "data-plane/proxy/upstream_path.h"

#include <algorithm>

#include "data-plane/http/target.h"

namespace sluice::proxy {
namespace {

std::string Concat(std::string_view a, std::string_view b) {
  std::string joined;
  joined.reserve(a.size() + b.size());
  joined.append(a).append(b);
  return joined;
}

std::string_view Unmatched(const PathRule& rule, std::string_view path) {
  return path.substr(std::min(rule.matched_bytes, path.size()));
}

std::string StripV0(std::string_view base, std::string_view rest, std::string_view path) {
  const bool slash_asked = path.size() > 1 && path.ends_with('/');
  if (base.ends_with('/')) {
    if (rest.empty()) {
      if (base == "/" || path.ends_with('/')) return std::string(base);
      return std::string(base.substr(0, base.size() - 1));
    }
    return Concat(base, rest.starts_with('/') ? rest.substr(1) : rest);
  }
  if (rest.empty()) return slash_asked ? Concat(base, "/") : std::string(base);
  if (rest.starts_with('/')) return Concat(base, rest);
  return Concat(Concat(base, "/"), rest);
}

}  // namespace

bool StripsToDots(const PathRule& rule, std::string_view path) {
  const std::string_view rest = Unmatched(rule, path);
  if (!rule.strip || !rest.starts_with('.')) return false;
  const std::string alone = Concat("/", rest);
  std::string canonical;
  std::string_view reason;
  return !http::NormalizePath(alone, canonical, reason) || canonical != alone;
}

std::string UpstreamPath(const PathRule& rule, std::string_view path) {
  const std::string_view base = rule.service_path.empty() ? "/" : rule.service_path;
  const std::string_view rest = Unmatched(rule, path);
  if (rule.v1) {
    if (!rule.strip) return Concat(base, path.substr(std::min<size_t>(1, path.size())));
    return Concat(base, base.ends_with('/') && rest.starts_with('/') ? rest.substr(1) : rest);
  }
  if (rule.strip) return StripV0(base, rest, path);
  if (base.ends_with('/')) return Concat(base, path.starts_with('/') ? path.substr(1) : path);
  return path == "/" ? std::string(base) : Concat(base, path);
}

}  // namespace sluice::proxy
