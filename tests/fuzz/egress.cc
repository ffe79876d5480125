// Egress: texts mean one address or none; and no wrapping of an IPv4 address is allowed that is refused plainly,
// whatever an operator opens. The input is sixteen bytes of an address, two of a port, and text.

#include <algorithm>
#include <string>
#include <vector>

#include "common/egress/policy.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

using egress::Address;
using egress::Policy;

void CheckText(std::string_view text) {
  if (const auto address = egress::ParseAddress(text); address.ok()) {
    const auto again = egress::ParseAddress(address->ToString());
    SLUICE_CHECK(again.ok() && *again == *address);
    SLUICE_CHECK(!egress::LooksNumeric(text));
  }
  for (const auto& range : {egress::ParseRange(text), egress::ParseNetwork(text)}) {
    if (!range.ok()) continue;
    SLUICE_CHECK(range->prefix >= 0 && range->prefix <= 128 && range->port_low <= range->port_high);
    SLUICE_CHECK(range->Contains(range->network, range->port_low));
    SLUICE_CHECK(range->Contains(range->network, range->port_high));
    SLUICE_CHECK(range->port_low == 0 || !range->Contains(range->network, range->port_low - 1));
  }
}

Address V4(const uint8_t* b) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, b[0], b[1], b[2], b[3]}};
}

// The same IPv4 address as NAT64, NAT64 of one's own (both layouts), 6to4 and Teredo (client and server) carry it.
std::vector<Address> Wrappings(const uint8_t* b) {
  const auto flip = [](uint8_t byte) { return static_cast<uint8_t>(~byte); };
  return {
      {{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, b[0], b[1], b[2], b[3]}},
      {{0, 0x64, 0xff, 0x9b, 0, 1, 8, 8, 0, 8, 8, 0, b[0], b[1], b[2], b[3]}},
      {{0, 0x64, 0xff, 0x9b, 0, 1, b[0], b[1], 0, b[2], b[3], 0, 8, 8, 8, 8}},
      {{0x20, 0x02, b[0], b[1], b[2], b[3], 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
      {{0x20, 1, 0, 0, 8, 8, 8, 8, 0, 0, 0, 0, flip(b[0]), flip(b[1]), flip(b[2]), flip(b[3])}},
      {{0x20, 1, 0, 0, b[0], b[1], b[2], b[3], 0, 0, 0, 0, flip(8), flip(8), flip(8), flip(8)}},
  };
}

void CheckPolicy(const Policy& policy, const uint8_t* bytes, uint16_t port) {
  const egress::Decision plain = policy.Check(V4(bytes), port);
  SLUICE_CHECK(plain.allowed == (plain.rule == "public" || plain.rule == "operator"));
  if (plain.allowed) return;
  for (const Address& wrapped : Wrappings(bytes)) SLUICE_CHECK(!policy.Check(wrapped, port).allowed);
}

}  // namespace

void Run(std::string_view input) {
  if (input.size() < 18) return CheckText(input);
  CheckText(input.substr(18));
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  const auto port = static_cast<uint16_t>(bytes[16] << 8 | bytes[17]);
  Address address;
  std::copy_n(bytes, 16, address.bytes.begin());
  const auto again = egress::ParseAddress(address.ToString());
  SLUICE_CHECK(again.ok() && *again == address);

  std::vector<egress::Range> ranges;
  if (const auto range = egress::ParseRange(input.substr(18)); range.ok() && range->network.IsV4()) {
    ranges.push_back(*range);
  }
  CheckPolicy(Policy({}, {}), bytes, port);
  CheckPolicy(Policy(ranges, {}), bytes, port);
  CheckPolicy(Policy({}, ranges), bytes, port);
  const Policy closed(ranges, ranges);  // what is the platform's own stays refused, whoever opens it
  if (!ranges.empty() && ranges[0].Contains(address, port)) SLUICE_CHECK(!closed.Check(address, port).allowed);
  SLUICE_CHECK(Policy({}, {}).Check(address, port).rule != "operator");
}

}  // namespace sluice::fuzz
