#pragma once

// The certificates and authorities of one configuration, parsed, while a gateway is compiled from it: what it shows to
// clients, and by which rules its services are reached. Lives for one compilation, on the sync thread.

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "data-plane/io/tls.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice {

class TlsMaterial {
 public:
  // INVALID_ARGUMENT that names the field.
  absl::Status Read(const config::v1::GatewayConfig& config);

  io::CertificateTable TakeTable() { return std::move(table_); }
  // A service's own client certificate goes before the one of its upstream ("" where it has none). Null for the default
  // rules.
  absl::StatusOr<std::shared_ptr<const io::TlsRules>> RulesOf(const config::v1::Service& service,
                                                              const std::string& upstream_id) const;

 private:
  absl::Status ReadPair(const config::v1::Certificate& entity, bool alternate);
  absl::flat_hash_map<std::string, io::Certificates> certificates_;  // by id
  absl::flat_hash_map<std::string, std::string> of_upstreams_;       // ids of client certificates, by upstream's id
  absl::flat_hash_map<std::string, std::string> authorities_;        // PEM by id
  io::CertificateTable table_;
};

}  // namespace sluice
