// Hosts: the canonical form is its own canonical form, means one host in any case, and is never a number that
// resolvers read as an address.

#include <algorithm>
#include <string>

#include "data-plane/http/target.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {

void Run(std::string_view input) {
  std::string host;
  int port;
  if (!http::CanonicalHost(input, host, port)) return;
  std::string_view name;
  int split_port;
  SLUICE_CHECK(http::SplitAuthority(input, name, split_port) && split_port == port);
  SLUICE_CHECK(port == -1 || (port >= 1 && port <= 65535));
  SLUICE_CHECK(!host.empty() && host.find_first_of("/@?#%, \\") == std::string::npos);
  SLUICE_CHECK(std::none_of(host.begin(), host.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c <= ' '; }));
  SLUICE_CHECK((host.find(':') != std::string::npos) == host.starts_with('['));

  std::string again;
  int again_port;
  SLUICE_CHECK(http::CanonicalHost(host, again, again_port) && again == host && again_port == -1);
  std::string upper(input);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  SLUICE_CHECK(http::CanonicalHost(upper, again, again_port) && again == host && again_port == port);
}

}  // namespace sluice::fuzz
