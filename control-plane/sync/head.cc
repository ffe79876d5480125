#include "control-plane/sync/head.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <string>

#include "sluice/config/v1/gateway.pb.h"

namespace sluice::sync {
namespace {

using config::v1::GatewayConfig;
using google::protobuf::io::CodedInputStream;
using google::protobuf::internal::WireFormatLite;

bool ReadBytes(CodedInputStream& in, std::string& bytes) {
  uint32_t size = 0;
  return in.ReadVarint32(&size) && in.ReadString(&bytes, static_cast<int>(size));
}

}  // namespace

// Entities, which are nearly all of a large configuration, are stepped over: a stream that tells a million heads must
// not parse as many configurations, and keeping the heads would cost more than finding them again.
std::optional<v1::Head> HeadOf(const index::Entry& entry, store::Part part) {
  v1::Head head;
  config::v1::Plan plan;
  CodedInputStream in(reinterpret_cast<const uint8_t*>(entry.config->data()), static_cast<int>(entry.config->size()));
  while (const uint32_t tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    bool read = true;
    if (field == GatewayConfig::kHostsFieldNumber) {
      read = ReadBytes(in, *head.add_hosts());
    } else if (field == GatewayConfig::kPlanFieldNumber) {
      std::string bytes;
      read = ReadBytes(in, bytes) && plan.MergeFromString(bytes);
    } else if (field == GatewayConfig::kCertificatesFieldNumber) {
      return std::nullopt;
    } else {
      read = WireFormatLite::SkipField(&in, tag);
    }
    if (!read) break;  // nodes find out when they want it
  }
  if (entry.of_owner) return head;
  const bool shared = part != store::Part::kAll && entry.request_limit.value_or(0) > 0;
  head.set_requests_per_second(shared ? entry.LimitOf(part) : plan.requests_per_second());
  return head;
}

}  // namespace sluice::sync
