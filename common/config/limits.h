#pragma once

// The default of every limit of a gateway's configuration. One place.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/schema/regex.h"

namespace sluice::config {

inline constexpr uint32_t kServerlessRequestsPerSecond = 100;
inline constexpr uint64_t kServerlessMaxBodyBytes = 10 * 1024 * 1024;
inline constexpr uint32_t kServerlessMaxRequestsInFlight = 200;
inline constexpr uint32_t kServerlessMaxUpstreamConnections = 128;
inline constexpr uint32_t kServerlessMaxPendingPerTarget = 100;
inline constexpr uint64_t kServerlessMaxBufferedBytes = 64 * 1024 * 1024;

inline constexpr size_t kMaxEntitiesPerKind = 10'000;
inline constexpr size_t kMaxConsumers = 50'000;    // and credentials
inline constexpr size_t kMaxCertificates = 1'000;  // of services' authorities, as many
inline constexpr int kMinRsaBits = 2048;           // of a certificate's key
inline constexpr int kMaxRsaBits = 4096;           // a larger one costs every handshake several milliseconds
inline constexpr int kMinEcBits = 256;
inline constexpr size_t kMaxCompiledBytes = 4 * 1024 * 1024;
inline constexpr size_t kMaxRegexBytes = schema::kMaxRegexBytes;
inline constexpr int64_t kMaxRegexMemory = schema::kMaxRegexMemory;  // RE2 program
inline constexpr size_t kMaxTargetsPerUpstream = 1'000;              // each is looked at when one is chosen
inline constexpr size_t kMaxCheckedTargets = 100;  // by active health checks, a gateway: nodes are no port scanners
inline constexpr double kMinCheckSeconds = 1;      // between two active checks of a target
inline constexpr double kMaxCheckTimeoutSeconds = 60;
inline constexpr size_t kMaxRegexes = 100;  // of routes and of plugins, a gateway

// How many entities of a kind a gateway may have.
inline constexpr size_t MostOf(std::string_view kind) {
  if (kind == "consumer" || kind == "key_auth") return kMaxConsumers;
  return kind == "certificate" || kind == "ca_certificate" ? kMaxCertificates : kMaxEntitiesPerKind;
}

}  // namespace sluice::config
