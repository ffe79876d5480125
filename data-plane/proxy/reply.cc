#include "data-plane/proxy/reply.h"

#include <string>

#include "common/observe/log.h"
#include "common/schema/text.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

std::string EscapeMarkup(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// False where the range names nothing that we can render.
bool FormatOf(std::string_view range, ErrorFormat& format) {
  if (range == "*/*" || range == "application/*" || range == "application/json") {
    format = ErrorFormat::kJson;
  } else if (range == "text/plain" || range == "text/*") {
    format = ErrorFormat::kText;
  } else if (range == "text/html") {
    format = ErrorFormat::kHtml;
  } else if (range == "application/xml" || range == "text/xml") {
    format = ErrorFormat::kXml;
  } else {
    return false;
  }
  return true;
}

// Of what follows a media range, 1 where it says none.
double Quality(std::string_view parameters) {
  std::string_view parameter;
  while (text::NextPart(parameters, ';', parameter)) {
    parameter = text::Trim(parameter);
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    parameter.remove_prefix(2);
    double q = 0;
    std::from_chars(parameter.data(), parameter.data() + parameter.size(), q);
    return q;
  }
  return 1;
}

}  // namespace

ErrorFormat ChooseFormat(std::string_view accept) {
  ErrorFormat chosen = ErrorFormat::kJson;
  double best = 0;
  std::string_view item;
  while (text::NextPart(accept, ',', item)) {
    std::string_view range;
    text::NextPart(item, ';', range);
    ErrorFormat format;
    if (!FormatOf(schema::Lower(text::Trim(range)), format)) continue;
    const double q = Quality(item);
    if (q > best) {
      best = q;
      chosen = format;
    }
  }
  return chosen;
}

std::string_view StatusMessage(int status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 408:
      return "Request timeout";
    case 411:
      return "Length required";
    case 413:
      return "Payload too large";
    case 414:
      return "URI too long";
    case 417:
      return "Expectation failed";
    case 421:
      return "Misdirected request";
    case 431:
      return "Request header or cookie too large";
    case 500:
      return "An unexpected error occurred";
    case 501:
      return "Not implemented";
    case 502:
      return "An invalid response was received from the upstream server";
    case 503:
      return "The upstream server is currently unavailable";
    case 504:
      return "The upstream server is timing out";
    case 505:
      return "HTTP version not supported";
    case 508:
      return "Loop detected";
    default:
      return "The request could not be served";
  }
}

Rendered Render(const Reply& reply, std::string_view accept, std::string_view request_id) {
  if (!reply.message.has_value()) return {reply.body, reply.content_type};
  Rendered out;
  switch (ChooseFormat(accept)) {
    case ErrorFormat::kJson:
      out.content_type = "application/json; charset=utf-8";
      out.body.reserve(reply.message->size() + request_id.size() + 48);
      out.body = "{\n  \"message\":";
      log::AppendJsonString(out.body, *reply.message);
      text::Append(out.body, ",\n  \"request_id\":\"", request_id, "\"\n}");
      break;
    case ErrorFormat::kText:
      out.content_type = "text/plain; charset=utf-8";
      out.body = text::Cat(*reply.message, "\nrequest_id: ", request_id, "\n");
      break;
    case ErrorFormat::kHtml: {
      const std::string message = EscapeMarkup(*reply.message);
      out.content_type = "text/html; charset=utf-8";
      out.body = text::Cat("<!doctype html>\n<html>\n<head><meta charset=\"utf-8\"><title>", reply.status,
                              "</title></head>\n<body><h1>", message, "</h1><p>request_id: ", request_id,
                              "</p></body>\n</html>\n");
      break;
    }
    case ErrorFormat::kXml:
      out.content_type = "application/xml; charset=utf-8";
      out.body = text::Cat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>",
                              EscapeMarkup(*reply.message), "</message>\n  <requestid>", request_id,
                              "</requestid>\n</error>\n");
      break;
  }
  return out;
}

}  // namespace sluice::proxy
