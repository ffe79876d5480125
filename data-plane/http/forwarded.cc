#include "data-plane/http/forwarded.h"

#include <algorithm>

#include "data-plane/http/syntax.h"
#include "data-plane/io/address.h"

namespace sluice::http {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view Trim(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5 || !syntax::AllOf(text, syntax::kDigit)) return false;
  int port = 0;
  for (char c : text) port = port * 10 + (c - '0');
  return port <= 65535;
}

// "_hidden" and digits alike (RFC 7239 section 6).
bool IsNodePort(std::string_view text) {
  if (!text.starts_with('_')) return IsPort(text);
  return text.size() > 1 && syntax::AllOf(text.substr(1), syntax::kUnreserved);
}

std::vector<std::string_view> ValuesOf(const Fields& fields, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Field& field : fields) {
    if (EqualsIgnoreCase(field.name, name)) values.push_back(field.value);
  }
  return values;
}

// One line of Forwarded, front to back.
class ForwardedLine {
 public:
  explicit ForwardedLine(std::string_view line) : rest_(line) {}

  // Adds the node of every element, "" where it has none. False where the line breaks the grammar.
  bool Parse(std::vector<std::string>& nodes) {
    for (;;) {
      std::string node;
      SkipBlanks();
      // A list may have empty elements (RFC 9110 section 5.6.1).
      if (!rest_.empty() && rest_.front() != ',') {
        if (!ParseElement(node)) return false;
        nodes.push_back(std::move(node));
      }
      if (rest_.empty()) return true;
      rest_.remove_prefix(1);  // the comma
    }
  }

 private:
  void SkipBlanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }

  // Up to a comma or the end. No parameter twice that matters: two `for` would be two answers.
  bool ParseElement(std::string& node) {
    bool named = false;
    for (;;) {
      std::string_view name;
      std::string value;
      if (!TakeToken(name) || !TakeEquals() || !TakeValue(value)) return false;
      if (EqualsIgnoreCase(name, "for")) {
        if (named) return false;
        named = true;
        node = std::move(value);
      }
      SkipBlanks();
      if (rest_.empty() || rest_.front() == ',') return true;
      if (rest_.front() != ';') return false;
      rest_.remove_prefix(1);
      SkipBlanks();
    }
  }

  bool TakeToken(std::string_view& token) {
    size_t size = 0;
    while (size < rest_.size() && syntax::Is(rest_[size], syntax::kToken)) ++size;
    token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size > 0;
  }

  bool TakeEquals() {
    if (rest_.empty() || rest_.front() != '=') return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeValue(std::string& value) {
    if (!rest_.starts_with('"')) {
      std::string_view token;
      if (!TakeToken(token)) return false;
      value = token;
      return true;
    }
    for (size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (c == '\\') {
        if (++i == rest_.size()) return false;
        c = rest_[i];
      }
      value += c;
    }
    return false;
  }

  std::string_view rest_;
};

}  // namespace

std::string AddressOfNode(std::string_view node) {
  std::string_view address = node;
  if (node.starts_with('[')) {
    const size_t end = node.find(']');
    if (end == std::string_view::npos) return "";
    address = node.substr(1, end - 1);
    const std::string_view port = node.substr(end + 1);
    if (address.find(':') == std::string_view::npos) return "";
    if (!port.empty() && (port.front() != ':' || !IsNodePort(port.substr(1)))) return "";
  } else if (std::count(node.begin(), node.end(), ':') == 1) {
    const size_t colon = node.find(':');
    if (!IsNodePort(node.substr(colon + 1))) return "";
    address = node.substr(0, colon);
  }
  return io::CanonicalAddress(address);
}

ForwardedHops HopsOfXForwardedFor(const Fields& fields) {
  ForwardedHops hops;
  const std::vector<std::string_view> values = ValuesOf(fields, "x-forwarded-for");
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    std::string_view rest = *value;
    for (;;) {
      const size_t comma = rest.rfind(',');
      const std::string_view entry = Trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      if (!entry.empty()) {
        std::string address = AddressOfNode(entry);
        if (address.empty() || hops.size() == kMaxForwardedHops) return hops;
        hops.push_back(std::move(address));
      }
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return hops;
}

bool HopsOfForwarded(const Fields& fields, ForwardedHops& hops) {
  std::vector<std::string> nodes;
  for (std::string_view value : ValuesOf(fields, "forwarded")) {
    if (!ForwardedLine(value).Parse(nodes)) return false;
  }
  for (auto node = nodes.rbegin(); node != nodes.rend() && hops.size() < kMaxForwardedHops; ++node) {
    std::string address = AddressOfNode(*node);
    if (address.empty()) break;
    hops.push_back(std::move(address));
  }
  return true;
}

}  // namespace sluice::http
