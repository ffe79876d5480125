#pragma once

// Which fields pass through a gateway and which it writes itself, in both directions. Pure over an exchange.

#include <string_view>

#include "data-plane/plugin/exchange.h"

namespace sluice::proxy {

inline constexpr std::string_view kViaName = "sluice";

// Fields by which services learn who asks, and which therefore only the gateway may write. '_' reads as '-': many
// servers do not tell them apart.
bool IsIdentityField(std::string_view name);

// As Via begins: "1.1 ".
std::string_view ViaVersion(http::Protocol protocol);

// How often Sluice has seen this request already.
int ViaHops(const http::Fields& fields);

// The client's fields that may go on: no connection-specific ones, none that Connection names (unless it names what
// it must not), no identity.
void CopyRequestFields(const http::RequestHead& request, http::Fields& out);

// What the gateway tells the service about the request, after the plugins. The views end with the exchange.
struct ForwardedText {
  std::string via;
  std::string port;
  std::string prefix;
};
void AddForwardedFields(Exchange& exchange, ForwardedText& forwarded);

// X-Sluice-Config-Version, after the plugins and instead of anyone else's; nothing where no gateway was found.
void AddConfigVersion(const Exchange& exchange, http::ResponseHead& head);

}  // namespace sluice::proxy
