#include "common/egress/policy.h"

#include <algorithm>
#include <cstddef>

namespace sluice::egress {
namespace {

struct Special {
  std::array<uint8_t, 16> network;
  int prefix;
  std::string_view rule;
};

constexpr Special V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, int prefix, std::string_view rule) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + prefix, rule};
}

constexpr Special V6(std::array<uint16_t, 8> groups, int prefix, std::string_view rule) {
  Special special{{}, prefix, rule};
  for (size_t i = 0; i < groups.size(); ++i) {
    special.network[2 * i] = static_cast<uint8_t>(groups[i] >> 8);
    special.network[2 * i + 1] = static_cast<uint8_t>(groups[i]);
  }
  return special;
}

// Services that hand credentials to whoever asks from the right machine, whichever ranges an operator allows.
constexpr Special kMetadata[] = {
    V4(169, 254, 169, 0, 24, "metadata"),                          // AWS, Azure, Google Cloud, OpenStack, Oracle
    V4(169, 254, 170, 0, 24, "metadata"),                          // AWS containers
    V4(168, 63, 129, 16, 32, "metadata"),                          // Azure
    V4(100, 100, 100, 200, 32, "metadata"),                        // Alibaba Cloud
    V4(192, 0, 0, 192, 32, "metadata"),                            // Oracle Cloud
    V6({0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0}, 32, "metadata"),        // AWS
    V6({0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254}, 128, "metadata"),  // Google Cloud
};

// What is not public, by the IANA registries of special-purpose addresses; the first that contains an address names it.
constexpr Special kNotPublic[] = {
    V4(0, 0, 0, 0, 8, "unspecified"),
    V4(10, 0, 0, 0, 8, "private"),
    V4(100, 64, 0, 0, 10, "shared"),
    V4(127, 0, 0, 0, 8, "loopback"),
    V4(169, 254, 0, 0, 16, "link-local"),
    V4(172, 16, 0, 0, 12, "private"),
    V4(192, 0, 0, 0, 24, "reserved"),
    V4(192, 0, 2, 0, 24, "documentation"),
    V4(192, 88, 99, 0, 24, "reserved"),
    V4(192, 168, 0, 0, 16, "private"),
    V4(198, 18, 0, 0, 15, "benchmark"),
    V4(198, 51, 100, 0, 24, "documentation"),
    V4(203, 0, 113, 0, 24, "documentation"),
    V4(224, 0, 0, 0, 4, "multicast"),
    V4(255, 255, 255, 255, 32, "broadcast"),
    V4(240, 0, 0, 0, 4, "reserved"),
    V6({0, 0, 0, 0, 0, 0, 0, 0}, 128, "unspecified"),
    V6({0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"),
    V6({0xfc00, 0, 0, 0, 0, 0, 0, 0}, 7, "private"),
    V6({0xfe80, 0, 0, 0, 0, 0, 0, 0}, 10, "link-local"),
    V6({0xfec0, 0, 0, 0, 0, 0, 0, 0}, 10, "private"),
    V6({0xff00, 0, 0, 0, 0, 0, 0, 0}, 8, "multicast"),
    V6({0x2001, 0x0db8, 0, 0, 0, 0, 0, 0}, 32, "documentation"),
    V6({0x3fff, 0, 0, 0, 0, 0, 0, 0}, 20, "documentation"),
    V6({0x2001, 0, 0, 0, 0, 0, 0, 0}, 23, "reserved"),
};
constexpr Special kGlobalUnicast = V6({0x2000, 0, 0, 0, 0, 0, 0, 0}, 3, "public");

constexpr Special kNat64 = V6({0x0064, 0xff9b, 0, 0, 0, 0, 0, 0}, 96, "nat64");
constexpr Special kLocalNat64 = V6({0x0064, 0xff9b, 1, 0, 0, 0, 0, 0}, 48, "nat64");
constexpr Special k6to4 = V6({0x2002, 0, 0, 0, 0, 0, 0, 0}, 16, "6to4");
constexpr Special kTeredo = V6({0x2001, 0, 0, 0, 0, 0, 0, 0}, 32, "teredo");

bool Contains(const Special& special, const Address& address) {
  return Range{.network = {special.network}, .prefix = special.prefix}.Contains(address, 0);
}

Address Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

// The addresses that a packet to `address` may end up at.
struct Destinations {
  std::array<Address, 2> list;
  size_t count = 0;
};

Destinations Unwrap(const Address& address) {
  if (address.IsV4()) return {{address}, 1};
  const auto& b = address.bytes;
  const Address last = Ipv4(b[12], b[13], b[14], b[15]);
  if (Contains(kNat64, address)) return {{last}, 1};
  // A translator of one's own may use any layout of RFC 6052: the one for /96 and the one for /48, around the zero
  // octet.
  if (Contains(kLocalNat64, address)) return {{last, Ipv4(b[6], b[7], b[9], b[10])}, 2};
  if (Contains(k6to4, address)) return {{Ipv4(b[2], b[3], b[4], b[5])}, 1};
  if (Contains(kTeredo, address)) {
    const Address client = Ipv4(b[12] ^ 0xff, b[13] ^ 0xff, b[14] ^ 0xff, b[15] ^ 0xff);
    return {{client, Ipv4(b[4], b[5], b[6], b[7])}, 2};
  }
  return {{address}, 1};
}

bool AnyContains(const std::vector<Range>& ranges, const Address& address, uint16_t port) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) { return range.Contains(address, port); });
}

std::string_view PublicRule(const Address& address, uint16_t port) {
  for (const Special& special : kNotPublic) {
    if (Contains(special, address)) return special.rule;
  }
  if (!address.IsV4() && !Contains(kGlobalUnicast, address)) return "reserved";
  // Below 1024 live mail, shells and remote procedures, which an HTTP gateway has no business with.
  const bool is_web = port == 80 || port == 443 || port >= 1024;
  return is_web ? "public" : "port";
}

}  // namespace

Decision Policy::Check(const Address& address, uint16_t port) const {
  const Destinations to = Unwrap(address);
  const auto begin = to.list.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(to.count);
  const auto is_protected = [&](const Address& at) { return AnyContains(protect_, at, port); };
  if (is_protected(address) || std::any_of(begin, end, is_protected)) return {false, "platform"};

  const auto is_metadata = [](const Address& at) {
    return std::any_of(std::begin(kMetadata), std::end(kMetadata), [&](const auto& m) { return Contains(m, at); });
  };
  if (std::any_of(begin, end, is_metadata)) return {false, "metadata"};

  if (AnyContains(allow_, address, port)) return {true, "operator"};
  Decision decision{true, "public"};
  for (auto at = begin; at != end; ++at) {
    if (AnyContains(allow_, *at, port)) {
      decision.rule = "operator";
      continue;
    }
    const std::string_view rule = PublicRule(*at, port);
    if (rule != "public") return {false, rule};
  }
  // A translator's own prefix is routed inside the site, wherever it leads.
  if (Contains(kLocalNat64, address) && decision.rule == "public") return {false, "private"};
  return decision;
}

}  // namespace sluice::egress
