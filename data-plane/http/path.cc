#include <vector>

#include "data-plane/http/syntax.h"
#include "data-plane/http/target.h"

namespace sluice::http {
namespace {

// Copies one segment with its escapes in canonical form. The reason, or "" where it is fine.
std::string_view AppendSegment(std::string_view segment, std::string& out) {
  for (size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (c != '%') {
      if (c == '\\') return "backslash";
      if (!syntax::Is(c, syntax::kPath)) return "path-byte";
      out.push_back(c);
      continue;
    }
    if (segment.size() - i < 3 || !syntax::Is(segment[i + 1], syntax::kHex) || !syntax::Is(segment[i + 2],
        syntax::kHex)) {
      return "path-escape";
    }
    const char decoded = static_cast<char>(syntax::HexValue(segment[i + 1]) * 16 + syntax::HexValue(segment[i + 2]));
    if (decoded == '/') return "encoded-slash";
    if (decoded == '\\') return "encoded-backslash";
    if (decoded == '\0') return "encoded-nul";
    if (syntax::Is(decoded, syntax::kUnreserved)) {
      out.push_back(decoded);
    } else {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(decoded);
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
    i += 2;
  }
  return {};
}

// "." or ".." before a parameter: some servers drop the parameter and then climb.
bool HidesDots(std::string_view segment) {
  size_t dots = 0;
  while (dots < segment.size() && segment[dots] == '.') ++dots;
  if (dots == 0 || dots > 2) return false;
  const std::string_view rest = segment.substr(dots);
  return rest.starts_with(';') || rest.starts_with("%3B");
}

bool IsCanonicalAlready(std::string_view path) {
  char before = '\0';
  for (char c : path) {
    if (!syntax::Is(c, syntax::kPath) || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

}  // namespace

bool NormalizePath(std::string_view path, std::string& out, std::string_view& reason) {
  if (!path.starts_with('/')) {
    reason = "path-not-absolute";
    return false;
  }
  if (IsCanonicalAlready(path)) {
    out.assign(path);
    return true;
  }
  out.clear();
  for (size_t at = 0; at < path.size();) {
    const size_t start = at + 1;
    at = std::min(path.find('/', start), path.size());
    const bool last = at == path.size();
    const size_t mark = out.size();
    out.push_back('/');
    reason = AppendSegment(path.substr(start, at - start), out);
    if (!reason.empty()) return false;
    const std::string_view segment = std::string_view(out).substr(mark + 1);
    if (HidesDots(segment)) {
      reason = "dots-with-parameter";
      return false;
    }
    if (segment == "..") {
      if (mark == 0) {
        reason = "path-climbs";
        return false;
      }
      out.resize(out.rfind('/', mark - 1));
      if (last) out.push_back('/');
    } else if (!last && (segment.empty() || segment == ".")) {
      out.resize(mark);
    } else if (last && segment == ".") {
      out.resize(mark + 1);
    }
  }
  return true;
}

}  // namespace sluice::http
