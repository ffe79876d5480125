#include <algorithm>
#include <vector>

#include "common/egress/policy.h"
#include "common/schema/text.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/ip_restriction.pb.h"

namespace sluice::plugins {
namespace {

using Ranges = std::vector<egress::Range>;
using Strings = google::protobuf::RepeatedPtrField<std::string>;

absl::StatusOr<Ranges> ParseRanges(std::string_view field, const Strings& list) {
  Ranges ranges;
  for (const std::string& text : list) {
    absl::StatusOr<egress::Range> range = egress::ParseNetwork(text);
    if (!range.ok()) return absl::InvalidArgumentError(schema::Cat(field, ": ", std::string(range.status().message())));
    ranges.push_back(*range);
  }
  return ranges;
}

bool Contains(const Ranges& ranges, const egress::Address& address) {
  return std::ranges::any_of(ranges, [&](const egress::Range& range) { return range.Contains(address, 0); });
}

class IpRestriction final : public Plugin {
 public:
  IpRestriction(const v1::IpRestriction& config, Ranges allow, Ranges deny)
      : allow_(std::move(allow)),
        deny_(std::move(deny)),
        status_(config.has_status() ? config.status() : 403),
        message_(config.message()) {}

  unsigned moments() const override { return kOnRequest; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    absl::StatusOr<egress::Address> address = egress::ParseAddress(exchange.client.ip);
    const bool refused = !address.ok() || Contains(deny_, *address) || (!allow_.empty() && !Contains(allow_, *address));
    if (!refused) return Verdict();
    if (!message_.empty()) return Reply::Message(status_, message_);
    return Reply::Message(status_, schema::Cat("IP address not allowed: ", exchange.client.ip));
  }

 private:
  const Ranges allow_;
  const Ranges deny_;
  const int status_;
  const std::string message_;
};

}  // namespace

Made MakeIpRestriction(const Message& config, const PluginEnv&) {
  const auto& typed = As<v1::IpRestriction>(config);
  absl::StatusOr<Ranges> allow = ParseRanges("allow", typed.allow());
  if (!allow.ok()) return allow.status();
  absl::StatusOr<Ranges> deny = ParseRanges("deny", typed.deny());
  if (!deny.ok()) return deny.status();
  return std::make_unique<IpRestriction>(typed, *std::move(allow), *std::move(deny));
}

}  // namespace sluice::plugins
