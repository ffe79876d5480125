#pragma once

// Where a connection string points, for whoever must keep gateways away from it. Stateless.

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sluice::store {

// "host:port" of every TCP server that the connection string or URL names; none for Unix sockets or what cannot be
// read.
std::vector<std::string> ServerAddresses(const std::string& database);

// INVALID_ARGUMENT where the connection string or URL cannot be read. Says nothing of it: a password with a character
// that is not quoted is what usually makes it unreadable.
absl::Status CheckConnectionString(const std::string& database);

}  // namespace sluice::store
