#pragma once

// Where a connection string points, for whoever must keep gateways away from it. Stateless.

#include <string>
#include <vector>

namespace sluice::store {

// "host:port" of every TCP server that the connection string or URL names; none for Unix sockets or what cannot be
// read.
std::vector<std::string> ServerAddresses(const std::string& database);

}  // namespace sluice::store
