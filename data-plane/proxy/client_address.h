#pragma once

// Whose request it is: the address of the client behind proxies that are trusted by configuration, and only by that.
// Everything that asks for the client's address (plugins, logs, limits, services) reads Client::ip, which this decides.
// Pure.

#include <string_view>
#include <vector>

#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/options.h"

namespace sluice::proxy {

bool IsWithin(const std::vector<egress::Range>& ranges, std::string_view address);

// What a trusted peer's fields say of the client: from the nearest hop on as long as hops are trusted; the first that
// is not is the client. Nothing for other peers. False where the field cannot be read: a 400.
bool IdentifyClient(const Options& options, const http::Fields& fields, Client& client);

// The value of an X-Forwarded-Proto, -Host, -Port, -Path or -Prefix that a trusted peer sent; "" where there is none,
// more than one, or no such thing.
std::string_view TrustedForwarded(const Exchange& exchange, std::string_view name);

}  // namespace sluice::proxy
