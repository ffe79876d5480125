#pragma once

// Serialises heads and chunks. Nothing is forwarded byte for byte: what goes out was built here from parsed values.

#include <string>
#include <string_view>

#include "data-plane/http/head.h"

namespace sluice::http {

// `target` is origin-form. Fields are written as they are, except the connection-specific ones (Connection, Keep-Alive,
// Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade, Content-Length), which `framing` and `connection` decide,
// and Host in a request, which comes first. `connection` "upgrade" adds "Upgrade: websocket". As a last barrier,
// control bytes in values become blanks, and blanks in `target` are escaped: nothing that leaves here can end a line
// early.
void AppendRequestHead(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                       const Fields& fields, Framing framing, std::string_view connection = {});
void AppendResponseHead(std::string& out, int status, std::string_view reason, const Fields& fields, Framing framing,
                        std::string_view connection = {});
// One chunk with its size line; an empty one would end the body and is not written.
void AppendChunk(std::string& out, std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The standard phrase (RFC 9110 section 15), "Unknown" for others.
std::string_view ReasonPhrase(int status);

// True for the fields named above, whatever Connection says.
bool IsConnectionField(std::string_view name);

// Removes them, and the fields that the Connection fields name (RFC 9110 section 7.6.1); framing, Host and what else
// IsProtectedFromConnection says stay.
void RemoveConnectionFields(Fields& fields);

// Fields that a Connection field may not name, also with underscores for dashes: framing, routing, credentials, and
// what gateways add about the client. A request that tries is refused by the parser.
bool IsProtectedFromConnection(std::string_view name);

}  // namespace sluice::http
