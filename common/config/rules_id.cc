#include "common/config/config.h"
#include "common/config/key_hash.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

std::string TextOf(const std::vector<egress::Range>& ranges) {
  std::string text;
  for (const egress::Range& range : ranges) {
    text += schema::Cat(range.network.ToString(), "/", range.prefix, ":", range.port_low, "-", range.port_high, " ");
  }
  return text;
}

}  // namespace

std::string RulesId(std::string_view build, const FleetRules& rules) {
  constexpr size_t kDigits = 16;
  const std::string hash = HashKey(schema::Cat(TextOf(rules.egress_allow), "|", TextOf(rules.protect)));
  return schema::Cat(build, "-", std::string_view(hash).substr(hash.size() - kDigits));
}

}  // namespace sluice::config
