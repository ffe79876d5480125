#pragma once

// Endpoints as the kernel wants them, and back. IPv4-mapped addresses become IPv4. Pure.

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "data-plane/io/stream.h"

namespace sluice::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// nullopt where the address is not an IPv4 or IPv6 literal.
std::optional<SocketAddress> ToSocketAddress(const Endpoint& endpoint);
Endpoint ToEndpoint(const sockaddr_storage& storage);

// The canonical text of an address literal, "" where it is none. Brackets are not part of it.
std::string CanonicalAddress(std::string_view text);

}  // namespace sluice::io
