// Responses to GET and to HEAD: what is accepted says the same after it has been written and read again.

#include <string>

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "tests/fuzz/framings.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

using Kind = http::Framing::Kind;

std::string FieldsOf(const http::Fields& fields) {
  std::string all;
  for (const http::Field& field : fields) {
    if (!http::IsConnectionField(field.name)) all.append(field.name).append(":").append(field.value).append("\n");
  }
  return all;
}

void CheckRoundTrip(std::string_view bytes, std::string_view method) {
  http::ResponseHead head;
  if (http::ParseResponseHead(bytes, method, head)) return;
  SLUICE_CHECK(head.status >= 100 && head.status <= 999);
  const bool bodiless = method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304;
  SLUICE_CHECK(bodiless == (head.framing.kind == Kind::kNone));
  SLUICE_CHECK(head.framing.kind != Kind::kUntilClose || !head.keep_alive);

  std::string written;
  http::AppendResponseHead(written, head.status, head.reason, head.fields, head.framing);
  CheckOneFraming(written, head.framing);
  size_t scanned = 0;
  SLUICE_CHECK(http::FindHeadEnd(written, scanned) == written.size());
  http::ResponseHead again;
  SLUICE_CHECK(!http::ParseResponseHead(written, method, again));
  SLUICE_CHECK(again.status == head.status);
  SLUICE_CHECK(head.reason.empty() || again.reason == head.reason);
  SLUICE_CHECK(again.framing.kind == head.framing.kind && again.framing.length == head.framing.length);
  SLUICE_CHECK(FieldsOf(again.fields) == FieldsOf(head.fields));
}

}  // namespace

void Run(std::string_view input) {
  size_t scanned = 0;
  const size_t end = http::FindHeadEnd(input, scanned);
  if (end == 0) return;
  CheckRoundTrip(input.substr(0, end), "GET");
  CheckRoundTrip(input.substr(0, end), "HEAD");
}

}  // namespace sluice::fuzz
