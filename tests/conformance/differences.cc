#include "tests/conformance/differences.h"

#include <algorithm>

namespace sluice::test {
namespace {

bool Is(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

bool Has(const Reading& reading, std::string_view name) {
  return std::any_of(reading.fields.begin(), reading.fields.end(), [&](const auto& f) { return Is(f.first, name); });
}

constexpr std::string_view kMethods[] = {
    "DELETE", "GET",       "HEAD",        "POST",     "PUT",        "OPTIONS",    "TRACE",  "COPY",
    "LOCK",   "MKCOL",     "MOVE",        "PROPFIND", "PROPPATCH",  "SEARCH",     "UNLOCK", "BIND",
    "REBIND", "UNBIND",    "ACL",         "REPORT",   "MKACTIVITY", "CHECKOUT",   "MERGE",  "M-SEARCH",
    "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH",    "PURGE",      "MKCALENDAR", "LINK",   "UNLINK"};

bool HasUnknownMethod(std::string_view, const Reading& ours, Direction direction) {
  return direction == Direction::kRequest && std::count(std::begin(kMethods), std::end(kMethods), ours.method) == 0;
}

bool HasNoBodyButFraming(std::string_view, const Reading& ours, Direction direction) {
  const bool bodiless = ours.status < 200 || ours.status == 204 || ours.status == 304;
  return direction != Direction::kRequest && bodiless &&
         (Has(ours, "content-length") || Has(ours, "transfer-encoding"));
}

bool HasTabBehindFraming(std::string_view bytes, const Reading& ours, Direction) {
  if (!Has(ours, "content-length") && !Has(ours, "transfer-encoding")) return false;
  for (size_t at = bytes.find('\t'); at != std::string_view::npos; at = bytes.find('\t', at + 1)) {
    const size_t end = bytes.find_first_not_of(" \t", at);
    if (end != std::string_view::npos && bytes[end] == '\r') return true;
  }
  return false;
}

bool HasEscapeInExtension(std::string_view bytes, const Reading&, Direction) {
  for (size_t at = bytes.find('\\'); at != std::string_view::npos; at = bytes.find('\\', at + 1)) {
    const std::string_view line = bytes.substr(0, at);
    if (line.substr(line.rfind('\n') + 1).find(";") != std::string_view::npos) return true;
  }
  return false;
}

bool HasSeveralExtensions(std::string_view bytes, const Reading& ours, Direction) {
  if (!Has(ours, "transfer-encoding")) return false;
  for (size_t at = bytes.find(';'); at != std::string_view::npos; at = bytes.find(';', at + 1)) {
    const std::string_view line = bytes.substr(0, at);
    if (line.substr(line.rfind('\n') + 1).find(';') != std::string_view::npos) return true;
  }
  return false;
}

bool BeginsWithEmptyLine(std::string_view bytes, const Reading&, Direction) {
  return bytes.starts_with("\r\n");
}

bool EndsBehindStatus(std::string_view bytes, const Reading&, Direction direction) {
  return direction != Direction::kRequest && bytes.substr(12, 2) == "\r\n";
}

bool HasIdleConnection(std::string_view bytes, const Reading& ours, Direction) {
  if (Has(ours, "proxy-connection")) return true;
  constexpr std::string_view kName = "connection:";
  const std::string_view body = bytes.substr(std::min(bytes.find("\r\n\r\n"), bytes.size()));
  for (size_t at = 0; at + kName.size() <= body.size() && Has(ours, "transfer-encoding"); ++at) {
    if (Is(body.substr(at, kName.size()), kName)) return true;
  }
  return false;
}

constexpr KnownDifference kDifferences[] = {
    {"unknown method", Other::kLlhttp, HasUnknownMethod,
     "RFC 9110 section 9.1: methods are tokens, and case-sensitive; llhttp takes those of a fixed list alone"},
    {"framing of a response without a body", Other::kLlhttp, HasNoBodyButFraming,
     "RFC 9112 section 6.3: 1xx, 204 and 304 end with their head whatever it says; llhttp believes what it says. We "
     "send them on without these fields"},
    {"tab behind a length or a coding", Other::kLlhttp, HasTabBehindFraming,
     "RFC 9110 section 5.6.3: blanks around a value are spaces and tabs; llhttp takes spaces alone. We write none"},
    {"escape in a chunk extension", Other::kLlhttp, HasEscapeInExtension,
     "RFC 9110 section 5.6.4: a quoted string may escape; llhttp takes no backslash. We write no extensions"},
    {"several chunk extensions", Other::kLlhttp, HasSeveralExtensions,
     "RFC 9112 section 7.1.1: every extension may do without a value; llhttp wants one of those behind the first. We "
     "write none"},
    {"empty line first", Other::kBeast, BeginsWithEmptyLine,
     "RFC 9112 section 2.2: one CRLF before a request line is passed over. We write none"},
    {"nothing behind the status", Other::kBeast, EndsBehindStatus,
     "RFC 9112 section 4: the blank before an absent reason is often absent too, and nothing depends on it. We write "
     "the blank"},
    {"Proxy-Connection, or Connection in a trailer", Other::kBeast, HasIdleConnection,
     "They mean nothing, and we send neither on; Beast wants lists of tokens, as in Connection"},
};

}  // namespace

bool IsKnown(Other other, std::string_view bytes, const Reading& ours, Direction direction) {
  return std::any_of(std::begin(kDifferences), std::end(kDifferences), [&](const KnownDifference& known) {
    return known.other == other && known.applies(bytes, ours, direction);
  });
}

}  // namespace sluice::test
