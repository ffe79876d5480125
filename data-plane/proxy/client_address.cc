#include "data-plane/proxy/client_address.h"

#include <algorithm>

#include "data-plane/http/forwarded.h"
#include "data-plane/http/target.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {
namespace {

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool IsPath(std::string_view text) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), visible);
}

bool IsAuthority(std::string_view text) {
  std::string_view host;
  int port;
  return http::SplitAuthority(text, host, port);
}

std::string_view OnlyValue(const http::Fields& fields, std::string_view name) {
  const std::string_view* found = fields.Find(name);
  return found != nullptr && fields.Count(name) == 1 ? *found : std::string_view();
}

}  // namespace

bool IsWithin(const std::vector<egress::Range>& ranges, std::string_view address) {
  if (ranges.empty()) return false;
  const absl::StatusOr<egress::Address> parsed = egress::ParseAddress(address);
  if (!parsed.ok()) return false;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const egress::Range& range) { return range.Contains(*parsed, 0); });
}

bool IdentifyClient(const Options& options, const http::Fields& fields, Client& client) {
  if (!client.peer_trusted) return true;
  http::ForwardedHops hops;
  if (options.client_address_field == ClientAddressField::kXForwardedFor) {
    hops = http::HopsOfXForwardedFor(fields);
  } else if (!http::HopsOfForwarded(fields, hops)) {
    return false;
  }
  client.secure = OnlyValue(fields, "x-forwarded-proto") == "https";
  if (hops.empty()) return true;
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) text::Append(client.forwarded_for, *hop, ", ");
  client.forwarded_for += client.ip;
  const auto foreign = [&](const std::string& hop) { return !IsWithin(options.trusted_proxies, hop); };
  const auto found = std::find_if(hops.begin(), hops.end(), foreign);
  client.ip = found != hops.end() ? *found : hops.back();
  return true;
}

std::string_view TrustedForwarded(const Exchange& exchange, std::string_view name) {
  if (!exchange.client.peer_trusted) return {};
  const std::string_view value = OnlyValue(exchange.request.fields, name);
  bool fits;
  if (name == "X-Forwarded-Proto") {
    fits = value == "http" || value == "https";
  } else if (name == "X-Forwarded-Host") {
    fits = IsAuthority(value);
  } else if (name == "X-Forwarded-Port") {
    fits = IsPort(value);
  } else {
    fits = IsPath(value);
  }
  return fits ? value : std::string_view();
}

}  // namespace sluice::proxy
