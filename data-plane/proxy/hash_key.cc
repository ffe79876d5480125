#include "data-plane/proxy/hash_key.h"

#include <algorithm>
#include <vector>

#include "common/base/random.h"
#include "data-plane/balance/hashing.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

using Kind = HashInput::Kind;

// RFC 6265 section 5.4: the first cookie of that name, in whichever field.
std::string CookieOf(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    std::string_view part;
    while (text::NextPart(rest, ';', part)) {
      const std::string_view pair = text::Trim(part);
      const size_t equals = std::min(pair.find('='), pair.size());
      if (equals < pair.size() && pair.substr(0, equals) == name) return std::string(pair.substr(equals + 1));
    }
  }
  return "";
}

std::string HeaderOf(const http::Fields& fields, std::string_view name) {
  std::string joined;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, name)) continue;
    text::Append(joined, joined.empty() ? "" : ", ", field.value);
  }
  return joined;
}

std::string ArgumentOf(std::string_view query, std::string_view name) {
  const auto arguments = plugins::Arguments::Parse(query);
  if (!arguments.has_value()) return "";
  std::vector<std::string_view> values;
  for (const plugins::Argument& argument : arguments->list()) {
    if (argument.name == name) values.push_back(argument.value);
  }
  std::sort(values.begin(), values.end());
  std::string joined;
  for (const std::string_view value : values) text::Append(joined, joined.empty() ? "" : ",", value);
  return joined;
}

std::string ValueOf(const Exchange& exchange, const HashInput& input) {
  switch (input.kind) {
    case Kind::kNone:
      break;
    case Kind::kConsumer:
      return exchange.consumer != nullptr ? exchange.consumer->id : exchange.credential_id;
    case Kind::kIp:
      return exchange.client.ip;
    case Kind::kHeader:
      return HeaderOf(exchange.request.fields, input.name);
    case Kind::kCookie:
      return CookieOf(exchange.request.fields, input.name);
    case Kind::kPath:
      return exchange.path;
    case Kind::kQueryArgument:
      return ArgumentOf(exchange.request.query, input.name);
    case Kind::kUriCapture:
      for (const auto& [name, value] : exchange.match.captures) {
        if (name == input.name) return value;
      }
      break;
  }
  return "";
}

}  // namespace

HashKey HashKeyOf(const Exchange& exchange, const Upstream& upstream) {
  HashKey key;
  std::string value = ValueOf(exchange, upstream.hash_on);
  const HashInput* input = &upstream.hash_on;
  if (value.empty() && input->kind != Kind::kCookie) {
    input = &upstream.hash_fallback;
    value = ValueOf(exchange, *input);
  }
  if (value.empty() && input->kind == Kind::kCookie) {
    value = RandomUuid();
    key.set_cookie =
        text::Cat(input->name, "=", value, "; Path=", upstream.hash_cookie_path, "; SameSite=Lax; HttpOnly");
  }
  if (!value.empty()) key.hash = HashOf(value);
  return key;
}

}  // namespace sluice::proxy
