#pragma once

// Where the platform itself listens, as ranges that no gateway may reach. Stateless; may ask the resolver.

#include <string>
#include <vector>

namespace sluice::fleet {

// "ADDRESS:port" ("[v6]:port") for every address that `host:port` stands for: those a name resolves to, or all of this
// machine's for a wildcard. Empty where the name is not known.
std::vector<std::string> OwnRanges(const std::string& address);

}  // namespace sluice::fleet
