#include "data-plane/proxy/grpc.h"

#include <string>

#include "data-plane/http/writer.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

constexpr std::string_view kContentType = "application/grpc";

// grpc-message is printable ASCII with everything else, and '%', escaped.
std::string EscapeMessage(std::string_view message) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      escaped.push_back(c);
    } else {
      escaped.push_back('%');
      escaped.push_back(kDigits[byte >> 4]);
      escaped.push_back(kDigits[byte & 15]);
    }
  }
  return escaped;
}

}  // namespace

bool IsGrpc(std::string_view content_type) {
  if (content_type.size() < kContentType.size() ||
      !http::EqualsIgnoreCase(content_type.substr(0, kContentType.size()), kContentType)) {
    return false;
  }
  if (content_type.size() == kContentType.size()) return true;
  const char next = content_type[kContentType.size()];
  return next == '+' || next == ';' || next == ' ';
}

int GrpcStatus(int http_status) {
  switch (http_status) {
    case 400:
      return 3;  // INVALID_ARGUMENT
    case 401:
      return 16;  // UNAUTHENTICATED
    case 403:
      return 7;  // PERMISSION_DENIED
    case 404:
      return 5;  // NOT_FOUND
    case 408:
    case 504:
      return 4;  // DEADLINE_EXCEEDED
    case 409:
      return 10;  // ABORTED
    case 413:
    case 429:
    case 431:
      return 8;  // RESOURCE_EXHAUSTED
    case 426:
      return 1;  // CANCELLED, with which Kong asks for TLS
    case 500:
      return 13;  // INTERNAL
    case 501:
      return 12;  // UNIMPLEMENTED
    case 502:
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 2;  // UNKNOWN
  }
}

void MakeGrpcReply(http::ResponseHead& head, std::string_view message) {
  const int status = GrpcStatus(head.status);
  if (message.empty()) message = http::ReasonPhrase(head.status);
  head.fields.RemoveIf([](const http::Field& field) {
    return http::EqualsIgnoreCase(field.name, "content-type") || http::EqualsIgnoreCase(field.name, "content-encoding");
  });
  head.status = 200;
  head.reason = {};
  head.fields.Add("content-type", kContentType);
  head.fields.Add("grpc-status", text::Cat(status));
  head.fields.Add("grpc-message", EscapeMessage(message));
}

}  // namespace sluice::proxy
