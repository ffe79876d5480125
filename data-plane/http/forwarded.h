#pragma once

// For whom proxies before the gateway say that they ask: X-Forwarded-For and Forwarded (RFC 7239). Pure. What they say
// counts only where the sender is trusted; that is for the caller to know.

#include <string>
#include <vector>

#include "data-plane/http/fields.h"

namespace sluice::http {

inline constexpr size_t kMaxForwardedHops = 32;  // what is farther away is not looked at

// Addresses as canonical text, the nearest hop first, up to the first entry that names none (an obfuscated identifier,
// "unknown", anything else).
using ForwardedHops = std::vector<std::string>;

// A list of addresses, with or without a port, IPv6 with or without brackets; never an error, since it is read from its
// end and whatever stands before the end cannot change what the end says.
ForwardedHops HopsOfXForwardedFor(const Fields& fields);

// False where the field breaks its grammar: an open quotation mark could swallow what a trusted proxy has added. The
// `for` of each element; an element without it names no address.
bool HopsOfForwarded(const Fields& fields, ForwardedHops& hops);

// The canonical address of a node: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80", and the address
// alone; "" where it is none.
std::string AddressOfNode(std::string_view node);

}  // namespace sluice::http
