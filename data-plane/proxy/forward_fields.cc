#include "data-plane/proxy/forward_fields.h"

#include <algorithm>
#include <vector>

#include "data-plane/http/writer.h"
#include "data-plane/proxy/client_address.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

constexpr size_t kMaxAddedFields = 12;  // what the gateway and its plugins commonly add

char Fold(char c) {
  return c == '_' ? '-' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
}

bool HasPrefix(std::string_view name, std::string_view prefix) {
  if (name.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (Fold(name[i]) != prefix[i]) return false;
  }
  return true;
}

bool Is(std::string_view name, std::string_view folded) {
  return name.size() == folded.size() && HasPrefix(name, folded);
}

// The names that a request's Connection lists, connection-specific by its word. The parser has refused those that it
// may not make vanish.
std::vector<std::string_view> NamedByConnection(const http::Fields& fields) {
  std::vector<std::string_view> names;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, "connection")) continue;
    std::string_view rest = field.value;
    std::string_view name;
    while (text::NextPart(rest, ',', name)) {
      name = text::Trim(name);
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

// Answered by the gateway, written by it, or (Proxy) taken for an environment variable by old CGI programs.
bool EndsHere(std::string_view name) {
  return Is(name, "host") || Is(name, "expect") || Is(name, "proxy");
}

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view listed) { return http::EqualsIgnoreCase(listed, name); });
}

}  // namespace

std::string_view ViaVersion(http::Protocol protocol) {
  switch (protocol) {
    case http::Protocol::kHttp10:
      return "1.0 ";
    case http::Protocol::kHttp11:
      return "1.1 ";
    case http::Protocol::kHttp2:
      return "2 ";
  }
  return "1.1 ";
}

bool IsIdentityField(std::string_view name) {
  if (name.empty()) return false;
  const char first = Fold(name[0]);
  if (first == 'f') return Is(name, "forwarded");
  if (first != 'x' || name.size() < 2 || Fold(name[1]) != '-') return false;
  return HasPrefix(name, "x-forwarded-") || Is(name, "x-real-ip") || HasPrefix(name, "x-consumer-") ||
         HasPrefix(name, "x-credential-") || Is(name, "x-anonymous-consumer") || HasPrefix(name, "x-authenticated-") ||
         HasPrefix(name, "x-gateway-") || HasPrefix(name, "x-kong-");
}

int ViaHops(const http::Fields& fields) {
  int hops = 0;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, "via")) continue;
    std::string_view rest = field.value;
    std::string_view hop;
    while (text::NextPart(rest, ',', hop)) {
      hop = text::Trim(hop);
      const size_t version_end = hop.find(' ');
      if (version_end == std::string_view::npos) continue;
      const std::string_view by = text::Trim(hop.substr(version_end));
      if (by.substr(0, by.find(' ')) == kViaName) ++hops;
    }
  }
  return hops;
}

void CopyRequestFields(const http::RequestHead& request, http::Fields& out) {
  std::vector<std::string_view> named;
  if (request.fields.Has("connection")) named = NamedByConnection(request.fields);
  out.Reserve(request.fields.size() + kMaxAddedFields);
  for (const http::Field& field : request.fields) {
    if (http::IsConnectionField(field.name) || IsIdentityField(field.name) || EndsHere(field.name) ||
        (!named.empty() && Contains(named, field.name))) {
      continue;
    }
    out.AppendView(field.name, field.value);
  }
}

void AddForwardedFields(Exchange& exchange, ForwardedText& forwarded) {
  http::Fields& fields = exchange.upstream.fields;
  fields.RemoveIf([](const http::Field& field) {
    return HasPrefix(field.name, "x-forwarded-") || Is(field.name, "x-real-ip") || Is(field.name, "x-kong-request-id");
  });
  const Client& client = exchange.client;
  // What a trusted proxy says is kept, else the gateway speaks for itself.
  const auto add = [&](std::string_view name, std::string_view own) {
    const std::string_view told = TrustedForwarded(exchange, name);
    fields.AppendView(name, told.empty() ? own : told);
  };
  fields.AppendView("X-Real-IP", client.ip);
  fields.AppendView("X-Forwarded-For", client.forwarded_for.empty() ? client.ip : client.forwarded_for);
  add("X-Forwarded-Proto", client.scheme());
  add("X-Forwarded-Host", exchange.host);
  forwarded.port = text::Cat(client.local_port);
  add("X-Forwarded-Port", forwarded.port);
  add("X-Forwarded-Path", exchange.path);
  forwarded.prefix = TrustedForwarded(exchange, "X-Forwarded-Prefix");
  if (forwarded.prefix.empty() && exchange.match.route != nullptr && exchange.match.route->strip_path) {
    forwarded.prefix = exchange.path.substr(0, exchange.match.matched_bytes);
  }
  if (forwarded.prefix.size() > 1) fields.AppendView("X-Forwarded-Prefix", forwarded.prefix);
  forwarded.via.clear();
  for (const http::Field& field : exchange.request.fields) {
    if (http::EqualsIgnoreCase(field.name, "via")) text::Append(forwarded.via, field.value, ", ");
  }
  text::Append(forwarded.via, ViaVersion(exchange.request.protocol), kViaName);
  fields.Remove("via");
  fields.AppendView("Via", forwarded.via);
  fields.AppendView("X-Kong-Request-Id", exchange.request_id);
}

void AddConfigVersion(const Exchange& exchange, http::ResponseHead& head) {
  constexpr std::string_view kName = "X-Sluice-Config-Version";
  head.fields.RemoveIf([](const http::Field& field) { return http::EqualsIgnoreCase(field.name, kName); });
  if (exchange.gateway != nullptr) head.fields.Add(kName, text::Cat(exchange.gateway->version()));
}

}  // namespace sluice::proxy
