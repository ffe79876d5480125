#pragma once

// One canonical form of a host and of a path; routing, authorising, logging and forwarding all use it. Pure.

#include <string>
#include <string_view>

namespace sluice::http {

// Host without port, lower case, one trailing dot dropped; IPv6 literals in brackets. False where it is not a host name
// or an address: then the request is a 400.
bool CanonicalHost(std::string_view authority, std::string& host, int& port);  // port: 1 to 65535, -1 where absent

// Splits "host[:port]" and checks the syntax alone: no user, no list, no empty host, a port in range. What
// CanonicalHost accepts this accepts too.
bool SplitAuthority(std::string_view authority, std::string_view& host, int& port);

// Unreserved escapes decoded, other escapes in upper case, dot segments and doubled slashes removed, once. Refuses
// (false, with the reason) %2F, %5C, %00, a backslash, invalid escapes, bytes that RFC 3986 has no place for, and a
// path that climbs above its root. "/a/..;x/b": parameters never hide a segment; such segments are refused.
bool NormalizePath(std::string_view path, std::string& out, std::string_view& reason);

}  // namespace sluice::http
