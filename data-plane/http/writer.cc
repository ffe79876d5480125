#include "data-plane/http/writer.h"

#include <array>
#include <charconv>
#include <cstring>

#include "data-plane/http/syntax.h"

namespace sluice::http {
namespace {

void AppendNumber(std::string& out, uint64_t number, int base) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, base);
  out.append(digits, end);
}

// Where no control byte is meant to be there is none: a line holds what it says and ends nowhere else.
void Clean(char* begin, char* end) {
  if (!syntax::HasControl({begin, static_cast<size_t>(end - begin)})) [[likely]] return;
  for (char* at = begin; at != end; ++at) {
    if (syntax::Is(*at, syntax::kControl)) *at = ' ';
  }
}

void AppendClean(std::string& out, std::string_view text) {
  const size_t start = out.size();
  out.append(text);
  Clean(out.data() + start, out.data() + out.size());
}

void AppendTarget(std::string& out, std::string_view target) {
  if (syntax::AllOf(target, syntax::kTarget)) [[likely]] {
    out.append(target);
    return;
  }
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : target) {
    if (syntax::Is(c, syntax::kTarget)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
}

char* Put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* PutField(char* at, std::string_view name, std::string_view value) {
  return Put(Put(Put(Put(at, name), ": "), value), "\r\n");
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  const size_t start = out.size();
  out.resize(start + name.size() + value.size() + 4);
  char* const end = PutField(out.data() + start, name, value);
  Clean(out.data() + start, end - 2);
}

// The fields that `leave_out` does not name, in room that is made once for all of them. Each line ends with two control
// bytes; where there are more than these, one of the fields is not clean.
template <typename LeaveOut>
void AppendFields(std::string& out, const Fields& fields, LeaveOut leave_out) {
  size_t room = 0;
  for (const Field& field : fields) room += field.name.size() + field.value.size() + 4;
  const size_t start = out.size();
  out.resize(start + room);
  char* at = out.data() + start;
  size_t lines = 0;
  for (const Field& field : fields) {
    if (leave_out(field.name)) continue;
    at = PutField(at, field.name, field.value);
    ++lines;
  }
  out.resize(static_cast<size_t>(at - out.data()));
  if (syntax::CountControls(std::string_view(out).substr(start)) == 2 * lines) [[likely]] return;
  out.resize(start);
  for (const Field& field : fields) {
    if (!leave_out(field.name)) AppendField(out, field.name, field.value);
  }
}

void AppendFraming(std::string& out, Framing framing, std::string_view connection) {
  if (framing.kind == Framing::Kind::kLength) {
    out.append("Content-Length: ");
    AppendNumber(out, framing.length, 10);
    out.append("\r\n");
  } else if (framing.kind == Framing::Kind::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!connection.empty()) AppendField(out, "Connection", connection);
  if (EqualsIgnoreCase(connection, "upgrade")) out.append("Upgrade: websocket\r\n");
  out.append("\r\n");
}

}  // namespace

void AppendRequestHead(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                       const Fields& fields, Framing framing, std::string_view connection) {
  AppendClean(out, method);
  out.push_back(' ');
  AppendTarget(out, target);
  out.append(" HTTP/1.1\r\n");
  AppendField(out, "Host", host);
  AppendFields(out, fields,
               [](std::string_view name) { return IsConnectionField(name) || EqualsIgnoreCase(name, "host"); });
  AppendFraming(out, framing, connection);
}

void AppendResponseHead(std::string& out, int status, std::string_view reason, const Fields& fields, Framing framing,
                        std::string_view connection) {
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<uint64_t>(status), 10);
  out.push_back(' ');
  AppendClean(out, reason.empty() ? ReasonPhrase(status) : reason);
  out.append("\r\n");
  AppendFields(out, fields, IsConnectionField);
  AppendFraming(out, framing, connection);
}

void AppendChunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  AppendNumber(out, data.size(), 16);
  out.append("\r\n");
  out.append(data);
  out.append("\r\n");
}

bool IsConnectionField(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoreCase(name, "te");
    case 7:
      return EqualsIgnoreCase(name, "upgrade") || EqualsIgnoreCase(name, "trailer");
    case 10:
      return EqualsIgnoreCase(name, "connection") || EqualsIgnoreCase(name, "keep-alive");
    case 14:
      return EqualsIgnoreCase(name, "content-length");
    case 16:
      return EqualsIgnoreCase(name, "proxy-connection");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    default:
      return false;
  }
}

bool IsProtectedFromConnection(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "host",      "content-length", "transfer-encoding", "authorization",        "proxy-authorization", "cookie",
      "set-cookie", "expect",        "via",               "forwarded",            "x-real-ip",           "x-request-id",
      "apikey",    "content-type",   "content-encoding",  "x-anonymous-consumer", "x-original-url"};
  static constexpr std::string_view kPrefixes[] = {"x-forwarded-",     "x-consumer-", "x-credential-",
                                                   "x-authenticated-", "x-gateway-",  "x-kong-"};
  for (std::string_view known : kNames) {
    if (syntax::IsAliasOf(name, known)) return true;
  }
  for (std::string_view prefix : kPrefixes) {
    if (syntax::IsAliasOf(name.substr(0, prefix.size()), prefix)) return true;
  }
  return false;
}

void RemoveConnectionFields(Fields& fields) {
  std::vector<std::string_view> named;  // views into values that Remove does not move
  for (const Field& field : fields) {
    if (!EqualsIgnoreCase(field.name, "connection")) continue;
    syntax::ForEachElement(field.value, [&named](std::string_view element) {
      if (!IsProtectedFromConnection(element)) named.push_back(element);
    });
  }
  for (std::string_view name : named) fields.Remove(name);
  fields.RemoveIf([](const Field& field) { return IsConnectionField(field.name); });
}

}  // namespace sluice::http
