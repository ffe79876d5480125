#pragma once

// Every bound of a connection and of a request that no plan decides. Constants; Times are the same as values, so that
// tests need not wait for minutes.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"
#include "data-plane/limit/payload.h"

namespace sluice::proxy {

inline constexpr size_t kScratchBytes = 64 * 1024;            // one read, shared by a worker's connections
inline constexpr size_t kMinPiped = 64 * 1024;                // left of a body: with less, a pipe saves nothing
inline constexpr uint64_t kMaxRequestsPerConnection = 10'000;
inline constexpr size_t kMaxConnectionsPerAddress = 256;      // all workers of a node
inline constexpr size_t kMaxConnectionsPerGateway = 1024;     // of clients, all workers of a node
inline constexpr size_t kMaxDrainBytes = 64 * 1024;           // of a body that nobody wants, for the sake of keep-alive
inline constexpr size_t kMaxLingerBytes = 1024 * 1024;        // read away after the last answer of a connection
inline constexpr size_t kMaxIdlePerKey = 64;                  // upstream connections to one address of one gateway
inline constexpr size_t kMaxIdlePerWorker = 4096;
// While other workers are asked to close one that waits, for a gateway without a place left: doubled from try to try.
inline constexpr Duration kFirstEvictionPause = std::chrono::milliseconds(1);
inline constexpr Duration kLastEvictionPause = std::chrono::milliseconds(16);
inline constexpr size_t kMaxTlsSessionsPerWorker = 1024;      // of upstreams, one a place; some 5 KB each
inline constexpr size_t kMaxChecksPerGateway = 10;            // health checks under way, of a worker
inline constexpr size_t kMaxChecksPerWorker = 256;
inline constexpr int kMaxHealthLines = 20;                    // log lines a second of a worker about targets' health
inline constexpr size_t kMaxHttp2Output = 64 * 1024;          // of a connection, waiting to be written
inline constexpr size_t kMinWriteProgress = 1024;             // of an answer over HTTP/2, within Times::write_stall
inline constexpr size_t kMaxHttp1Origins = 4096;              // places remembered for their choice of HTTP/1.1
inline constexpr size_t kMaxHttp2Exchanges = 200;             // of a connection, those included whose stream is gone
inline constexpr size_t kMaxLoadWaits = 1024;                 // requests of a worker whose gateway is being fetched
inline constexpr size_t kMaxWakeWaits = 100'000;              // the same, whose gateway is at rest
inline constexpr int kMaxTries = 8;                           // connections attempted for one request, at most
inline constexpr int kMaxInterimResponses = 8;                // 1xx before the answer
inline constexpr int kMaxViaHops = 3;                         // times a request may pass through Sluice
inline constexpr uint64_t kMaxCallResponseBytes = 1024 * 1024;  // of an answer to the gateway's own requests

struct Times {
  Duration head_read = std::chrono::seconds(10);       // from a head's first byte
  Duration keep_alive_idle = std::chrono::seconds(60);  // less up to a tenth
  Duration connection_age = std::chrono::hours(1);
  Duration body_rate_window = limit::kBodyRateWindow;
  Duration write_stall = std::chrono::seconds(30);
  Duration tls_handshake = std::chrono::seconds(10);
  Duration drain_body = std::chrono::seconds(5);
  Duration linger = std::chrono::seconds(2);
  Duration client_check = std::chrono::milliseconds(250);  // between looks at a client that waits for its upstream
  Duration gateway_load = std::chrono::milliseconds(100);  // that a request waits for its gateway's configuration
  Duration gateway_wake = std::chrono::seconds(10);    // the same, where it is at rest: longer than any backlog
  Duration upstream_idle = std::chrono::seconds(60);   // less up to a tenth
  Duration check_second = std::chrono::seconds(1);     // what health checks' intervals count
  // Silence of an HTTP/2 upstream with open streams before it is asked for a sign of life. Servers of gRPC end
  // connections that ask more often than every five minutes.
  Duration upstream_ping = std::chrono::minutes(6);
  Duration connect_all = std::chrono::seconds(60);     // all attempts together, or the connect timeout if longer
};

}  // namespace sluice::proxy
