#pragma once

// The way to a connection for one request: target, address, permission, pooled or new connection, and the next target
// where that fails before anything was sent. One per request; its worker's thread only.

#include <memory>
#include <string>
#include <vector>

#include "data-plane/io/cancellation.h"
#include "data-plane/io/task.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/target_choice.h"
#include "data-plane/proxy/upstream_pool.h"
#include "data-plane/proxy/upstream_stream.h"
#include "data-plane/route/gateway.h"

namespace sluice::proxy {

class Downstream;
class Worker;

enum class DialError : uint8_t {
  kNone,
  kNoTarget,  // the upstream has none (left)
  kNoSuchName,
  kResolver,  // no answer about the name
  kDenied,    // the egress policy forbids the address
  kRefused,   // or unreachable
  kTimeout,
  kTls,
  kConnections,  // the plan's upstream connections are used up
  kPending,      // too many wait for this target already
  kClientGone,   // whoever waited for it has left
};
std::string_view ToString(DialError error);

// What may be spoken with a destination.
enum class HttpVersions : uint8_t {
  kHttp1,
  kHttp2,  // in clear text by prior knowledge
  kAny,    // by ALPN
};

struct Destination {
  std::shared_ptr<const Gateway> gateway;
  std::string host;
  uint16_t port = 80;
  bool tls = false;
  std::shared_ptr<const io::TlsRules> tls_rules;  // null: the default ones
  HttpVersions versions = HttpVersions::kHttp1;
  const Upstream* upstream = nullptr;  // where `host` names one
  std::optional<uint64_t> hash;        // of what the upstream hashes
  Duration connect_timeout{};
  int retries = 0;
  bool check = false;       // a health check: a connection of its own, and `connect_timeout` for all attempts
  std::string server_name;  // of TLS; "": the host
  Downstream* client = nullptr;  // looked after while its request waits; null: nobody can leave
};

struct Dialed {
  std::unique_ptr<UpstreamStream> stream;
  DialError error = DialError::kNone;
  bool reused = false;
};

class Dialer {
 public:
  // `tries` gets an entry for every attempt.
  Dialer(Worker& worker, Destination destination, Tries& tries);
  Dialer(const Dialer&) = delete;

  io::Task<Dialed> Next();
  // Another connection to where the last one led: what was pooled had died, or took no more.
  io::Task<Dialed> Again();

  // Of the last attempt: what the service is called in Host and in TLS.
  const std::string& host() const { return host_; }
  uint16_t port() const { return port_; }
  // Whoever uses the connection says what came of it.
  TargetChoice& target() { return target_; }
  // Counts one more attempt against the gateway's budget; false where that has none left.
  bool TakeRetry();

 private:
  class Looking;
  void LookLater();
  static void Look(void* self);
  bool ChooseTarget();
  bool MayGoOn(DialError error);
  io::Task<DialError> ChooseAddress();
  bool TakeLiteral(DialError& error);
  DialError Permit(const absl::StatusOr<egress::Address>& address) const;
  io::Task<Dialed> Open(bool pooled);
  io::Task<Dialed> OpenNew(PoolKey key, bool shares);
  Dialed Take(const PoolKey& key);
  io::Task<DialError> WaitForRoom(const PoolKey& key);
  bool TakePlace(limit::Slot& slot);
  io::Task<bool> TakePlaceOfOthers(limit::Slot& slot);
  io::Task<Dialed> Connect(const PoolKey& key, limit::Slot slot);
  struct Opened {
    std::unique_ptr<io::Stream> stream;  // null where that failed
    bool http2 = false;
    DialError error = DialError::kNone;
  };
  io::Task<Opened> OpenStream(const PoolKey& key, MonotonicTime deadline);

  Worker& worker_;
  const Destination destination_;
  Tries& tries_;
  TargetChoice target_;
  std::vector<std::string> addresses_;  // of the host, those not tried yet
  bool resolved_ = false;
  int tries_left_;
  MonotonicTime all_deadline_{};
  std::string host_;
  uint16_t port_;
  std::string address_;
  io::Cancellation cancellation_;  // of whatever is waited for, once the client has left
  io::Timer look_;
};

}  // namespace sluice::proxy
