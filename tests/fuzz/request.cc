// Requests: what is accepted says the same after it has been written and read again, and what is written has one
// framing for every reader, however lenient.

#include <string>

#include "data-plane/http/parser.h"
#include "data-plane/http/target.h"
#include "data-plane/http/writer.h"
#include "tests/fuzz/framings.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

// The size of the head, found byte by byte; it must not depend on how the bytes arrive.
size_t FindSlowly(std::string_view input) {
  size_t scanned = 0;
  for (size_t size = 1; size <= input.size(); ++size) {
    if (const size_t end = http::FindHeadEnd(input.substr(0, size), scanned)) return end;
  }
  return 0;
}

std::string FieldsOf(const http::Fields& fields) {
  std::string all;
  for (const http::Field& field : fields) {
    if (http::IsConnectionField(field.name) || http::EqualsIgnoreCase(field.name, "host")) continue;
    all.append(field.name).append(":").append(field.value).append("\n");
  }
  return all;
}

void CheckSame(const http::RequestHead& a, const http::RequestHead& b) {
  SLUICE_CHECK(a.method == b.method);
  SLUICE_CHECK(a.target == b.target);
  SLUICE_CHECK(a.path == b.path);
  SLUICE_CHECK(a.query == b.query && a.has_query == b.has_query);
  SLUICE_CHECK(a.authority == b.authority);
  SLUICE_CHECK(a.framing.kind == b.framing.kind && a.framing.length == b.framing.length);
  SLUICE_CHECK(FieldsOf(a.fields) == FieldsOf(b.fields));
}

}  // namespace

void Run(std::string_view input) {
  size_t scanned = 0;
  const size_t end = http::FindHeadEnd(input, scanned);
  http::RequestHead head;
  if (end == 0) {
    SLUICE_CHECK(FindSlowly(input) == 0);
    http::CheckIncompleteHead(input);
    return;
  }
  if (http::ParseRequestHead(input.substr(0, end), head)) return;
  SLUICE_CHECK(FindSlowly(input) == end);
  std::string host;
  int port;
  std::string_view name;
  if (!head.authority.empty()) SLUICE_CHECK(http::SplitAuthority(head.authority, name, port));
  if (http::CanonicalHost(head.authority, host, port)) SLUICE_CHECK(!host.empty());

  std::string written;
  const std::string_view authority = head.authority.empty() ? "h" : head.authority;
  http::AppendRequestHead(written, head.method, head.target, authority, head.fields, head.framing);
  CheckOneFraming(written, head.framing);
  scanned = 0;
  SLUICE_CHECK(http::FindHeadEnd(written, scanned) == written.size());
  http::RequestHead again;
  const http::ParseError error = http::ParseRequestHead(written, again);
  if (error.status == 431) return;  // the host of an HTTP/1.0 request, or a space behind a colon, was the last straw
  SLUICE_CHECK(!error);
  if (head.authority.empty()) head.authority = authority;
  CheckSame(head, again);
}

}  // namespace sluice::fuzz
