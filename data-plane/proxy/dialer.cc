#include "data-plane/proxy/dialer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "data-plane/io/tls.h"
#include "data-plane/proxy/downstream.h"
#include "data-plane/proxy/http1_upstream.h"
#include "data-plane/proxy/http2_pool.h"
#include "data-plane/proxy/http2_upstream.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

// Spreads requests over the addresses of a name, those of the preferred family first.
void Rotate(std::vector<std::string>& addresses, uint64_t by) {
  const auto is_v6 = [](const std::string& address) { return address.find(':') != std::string::npos; };
  const bool first = is_v6(addresses.front());
  const auto end = std::find_if(addresses.begin(), addresses.end(), [&](const auto& a) { return is_v6(a) != first; });
  std::rotate(addresses.begin(), addresses.begin() + by % (end - addresses.begin()), end);
}

// A place among the requests of all workers that wait for a connection to that target, given back however the waiting
// ends. `max` 0: no bound.
class Waiting {
 public:
  Waiting(limit::KeyedCount<PoolKey>& waiting, const PoolKey& key, uint32_t max)
      : waiting_(waiting), key_(key), entered_(waiting.Enter(key, max != 0 ? max : SIZE_MAX)) {}
  Waiting(const Waiting&) = delete;
  ~Waiting() {
    if (entered_) waiting_.Leave(key_);
  }
  bool entered() const { return entered_; }

 private:
  limit::KeyedCount<PoolKey>& waiting_;
  const PoolKey& key_;
  const bool entered_;
};

std::string_view AlpnOf(HttpVersions versions) {
  switch (versions) {
    case HttpVersions::kHttp1:
      return io::kAlpnHttp1;
    case HttpVersions::kHttp2:
      return io::kAlpnHttp2;
    case HttpVersions::kAny:
      return io::kAlpnAny;
  }
  return io::kAlpnHttp1;
}

// A connection on its way, which others wait for as well.
class Opening {
 public:
  Opening(Http2Pool& pool, const PoolKey& key) : pool_(pool), key_(key) { pool_.Opening(key_); }
  Opening(const Opening&) = delete;
  ~Opening() { pool_.Opened(key_, error); }
  DialError error = DialError::kNone;

 private:
  Http2Pool& pool_;
  const PoolKey& key_;
};

// The gateway's or the client's affair: no target is to blame, and none would do better.
bool IsOurs(DialError error) {
  return error == DialError::kConnections || error == DialError::kPending || error == DialError::kClientGone;
}

}  // namespace

// Looks after the client for as long as its request waits for something.
class Dialer::Looking {
 public:
  explicit Looking(Dialer& dialer) : dialer_(dialer) { dialer_.LookLater(); }
  Looking(const Looking&) = delete;
  ~Looking() {
    if (dialer_.look_.armed()) dialer_.look_.Disarm();
  }

 private:
  Dialer& dialer_;
};

void Dialer::LookLater() {
  if (destination_.client == nullptr) return;
  look_.Arm(worker_.loop(), worker_.loop().Now() + worker_.times().client_check, &Dialer::Look, this);
}

void Dialer::Look(void* self) {
  auto& dialer = *static_cast<Dialer*>(self);
  if (!dialer.destination_.client->Gone()) return dialer.LookLater();
  dialer.cancellation_.Cancel();
}

std::string_view ToString(DialError error) {
  switch (error) {
    case DialError::kNone:
      return "";
    case DialError::kNoTarget:
      return "no-target";
    case DialError::kNoSuchName:
    case DialError::kResolver:
      return "name-resolution";
    case DialError::kDenied:
      return "egress-denied";
    case DialError::kRefused:
      return "upstream-connect";
    case DialError::kTimeout:
      return "upstream-connect-timeout";
    case DialError::kTls:
      return "upstream-tls";
    case DialError::kConnections:
      return "upstream-connections";
    case DialError::kPending:
      return "upstream-pending";
    case DialError::kClientGone:
      return "client-gone";
  }
  return "";
}

Dialer::Dialer(Worker& worker, Destination destination, Tries& tries)
    : worker_(worker),
      destination_(std::move(destination)),
      tries_(tries),
      target_(worker, *destination_.gateway, destination_.upstream, destination_.hash),
      tries_left_(std::min(kMaxTries, destination_.retries + 1)),
      host_(destination_.host),
      port_(destination_.port) {}

io::Task<Dialed> Dialer::Next() {
  Dialed dialed{.stream = nullptr, .error = DialError::kNoTarget};
  if (all_deadline_ == MonotonicTime{}) {
    const Duration all = destination_.check ? Duration(0) : worker_.times().connect_all;
    all_deadline_ = worker_.loop().Now() + std::max(all, destination_.connect_timeout);
    if (!destination_.check) destination_.gateway->state().retries.OnRequest();
  }
  do {
    if (addresses_.empty() && !ChooseTarget()) break;
    --tries_left_;
    DialError error = DialError::kNone;
    if (!TakeLiteral(error)) {
      error = co_await ChooseAddress();
      if (error == DialError::kNone) error = Permit(egress::ParseAddress(address_));
    }
    tries_.push_back({.ip = address_, .port = port_, .failure = ToString(error)});
    if (error == DialError::kNone) {
      dialed = co_await Open(!destination_.check);
      if (dialed.stream != nullptr) co_return dialed;
    } else {
      dialed.error = error;
      worker_.stats().CountDial(error);
    }
  } while (MayGoOn(dialed.error));
  co_return dialed;
}

// After an attempt that failed. A target has failed when none of its addresses will be tried any more.
bool Dialer::MayGoOn(DialError error) {
  if (IsOurs(error)) return false;
  const bool more = tries_left_ > 0 && (!addresses_.empty() || target_.HasMore()) && TakeRetry();
  const bool targets_fault = error != DialError::kResolver;
  if (targets_fault && (addresses_.empty() || !more)) target_.Unreachable(error == DialError::kTimeout);
  return more;
}

bool Dialer::TakeRetry() {
  if (destination_.check) return true;
  const bool taken = destination_.gateway->state().retries.Take(worker_.loop().Now());
  ++(taken ? worker_.stats().retries : worker_.stats().retries_refused);
  return taken;
}

io::Task<Dialed> Dialer::Again() {
  tries_.push_back({.ip = address_, .port = port_, .failure = {}});
  Dialed dialed = co_await Open(false);
  if (dialed.stream == nullptr && !IsOurs(dialed.error)) target_.Unreachable(dialed.error == DialError::kTimeout);
  co_return dialed;
}

bool Dialer::ChooseTarget() {
  if (destination_.upstream == nullptr) return !resolved_;
  const Target* target = target_.Next();
  if (target == nullptr) return false;
  host_ = target->host;
  port_ = target->port;
  resolved_ = false;
  return true;
}

// True where the host is an address, which then is the only one; `error` says whether it may be reached.
bool Dialer::TakeLiteral(DialError& error) {
  if (resolved_) return false;
  const absl::StatusOr<egress::Address> address = egress::ParseAddress(host_);
  if (!address.ok()) return false;
  resolved_ = true;
  addresses_.clear();
  address_ = host_;
  error = Permit(address);
  return true;
}

io::Task<DialError> Dialer::ChooseAddress() {
  if (!resolved_) {
    resolved_ = true;
    addresses_.clear();
    if (egress::LooksNumeric(host_)) co_return DialError::kNoSuchName;
    const MonotonicTime deadline = std::min(all_deadline_, worker_.loop().Now() + destination_.connect_timeout);
    const Looking looking(*this);
    io::Question question{
        .name = host_, .deadline = deadline, .asker = destination_.gateway->id(), .cancellation = &cancellation_};
    io::Resolved resolved = co_await worker_.resolver().Resolve(std::move(question));
    if (cancellation_.cancelled()) co_return DialError::kClientGone;
    switch (resolved.outcome) {
      case io::Resolved::Outcome::kNoSuchName:
        co_return DialError::kNoSuchName;
      case io::Resolved::Outcome::kFailed:
      case io::Resolved::Outcome::kTimeout:
        co_return DialError::kResolver;
      case io::Resolved::Outcome::kFound:
        break;
    }
    addresses_ = std::move(resolved.addresses);
    if (addresses_.empty()) co_return DialError::kNoSuchName;
    if (addresses_.size() > 1) Rotate(addresses_, worker_.NextRotation());
  }
  address_ = std::move(addresses_.front());
  addresses_.erase(addresses_.begin());
  co_return DialError::kNone;
}

DialError Dialer::Permit(const absl::StatusOr<egress::Address>& address) const {
  if (!address.ok()) return DialError::kDenied;
  if (destination_.gateway->egress().Check(*address, port_).allowed) return DialError::kNone;
  return DialError::kDenied;
}

// A connection that is there already and has room.
Dialed Dialer::Take(const PoolKey& key) {
  Dialed dialed;
  dialed.reused = true;
  if (destination_.versions != HttpVersions::kHttp1) {
    if (auto shared = worker_.http2_pool().Find(key)) {
      dialed.stream = std::make_unique<Http2Upstream>(worker_, std::move(shared), destination_.gateway);
      ++worker_.pool().reused;
    }
  }
  if (dialed.stream == nullptr && destination_.versions != HttpVersions::kHttp2) {
    if (auto kept = worker_.pool().Take(key)) dialed.stream = std::make_unique<Http1Upstream>(worker_, std::move(kept));
  }
  return dialed;
}

// A place in the plan for one more connection, if need be of one of this worker's that waits for a request.
bool Dialer::TakePlace(limit::Slot& slot) {
  std::shared_ptr<GatewayState> state(destination_.gateway, &destination_.gateway->state());
  const auto take = [&] {
    return slot.Take(state, &GatewayState::upstream_connections, 1,
                     destination_.gateway->plan().max_upstream_connections());
  };
  return take() || (worker_.EvictIdle(state->serial) && take());
}

// The same, of the other workers, which take a moment to hear of it.
io::Task<bool> Dialer::TakePlaceOfOthers(limit::Slot& slot) {
  for (Duration pause = kFirstEvictionPause; pause <= kLastEvictionPause; pause *= 2) {
    if (!worker_.EvictIdleElsewhere(destination_.gateway->state().serial)) co_return false;
    co_await worker_.loop().SleepUntil(worker_.loop().Now() + pause);
    if (TakePlace(slot)) co_return true;
  }
  co_return false;
}

// For a stream of a shared connection, be it one that is still being opened.
io::Task<DialError> Dialer::WaitForRoom(const PoolKey& key) {
  const MonotonicTime deadline = std::min(all_deadline_, worker_.loop().Now() + destination_.connect_timeout);
  const Looking looking(*this);
  const DialError error = co_await worker_.http2_pool().Wait(key, deadline, cancellation_);
  co_return error;
}

io::Task<Dialed> Dialer::Open(bool pooled) {
  PoolKey key{.gateway = destination_.gateway->state().serial,
              .address = address_,
              .port = port_,
              .tls = destination_.tls,
              .server_name = {},
              .tls_rules = {}};
  if (key.tls) key.server_name = destination_.server_name.empty() ? host_ : destination_.server_name;
  if (key.tls && destination_.tls_rules != nullptr) key.tls_rules = destination_.tls_rules->Fingerprint();
  const bool shares = destination_.versions == HttpVersions::kHttp2 ||
                      (destination_.versions == HttpVersions::kAny && !worker_.http2_pool().IsHttp1(key));
  if (pooled || shares) {
    Dialed dialed = Take(key);
    if (dialed.stream != nullptr) return dialed;
  }
  return OpenNew(std::move(key), shares);
}

io::Task<Dialed> Dialer::OpenNew(PoolKey key, bool shares) {
  const config::v1::Plan& plan = destination_.gateway->plan();
  const Waiting waiting(worker_.waiting_for_upstreams(), key, plan.max_pending_per_target());
  Dialed dialed;
  if (!waiting.entered()) dialed.error = DialError::kPending;
  while (dialed.error == DialError::kNone) {
    limit::Slot slot;
    const bool wait = shares && !worker_.http2_pool().WantsMore(key);
    bool place = !wait && TakePlace(slot);
    if (!place && !wait && !(shares && worker_.http2_pool().Has(key))) {
      place = co_await TakePlaceOfOthers(slot);
      if (!place) dialed.error = DialError::kConnections;
    }
    if (place) dialed = co_await Connect(key, std::move(slot));
    if (place || dialed.error != DialError::kNone) break;
    dialed.error = co_await WaitForRoom(key);
    if (dialed.error == DialError::kNone) dialed = Take(key);
    if (dialed.stream != nullptr) co_return dialed;
  }
  worker_.stats().CountDial(dialed.error);
  tries_.back().failure = ToString(dialed.error);
  co_return dialed;
}

io::Task<Dialed> Dialer::Connect(const PoolKey& key, limit::Slot slot) {
  std::optional<Opening> opening;
  if (destination_.versions != HttpVersions::kHttp1) opening.emplace(worker_.http2_pool(), key);
  Dialed dialed;
  const MonotonicTime started = worker_.loop().Now();
  const Looking looking(*this);
  Opened opened = co_await OpenStream(key, std::min(all_deadline_, started + destination_.connect_timeout));
  dialed.error = opened.error;
  if (opening.has_value()) opening->error = opened.error;
  if (opened.stream == nullptr) co_return dialed;
  tries_.back().connect_time = worker_.loop().Now() - started;
  ++worker_.pool().opened;
  PoolKey own = key;
  if (opened.http2) {
    auto shared = Http2UpstreamConnection::Open(worker_, std::move(opened.stream), std::move(own), std::move(slot));
    dialed.stream = std::make_unique<Http2Upstream>(worker_, std::move(shared), destination_.gateway);
    co_return dialed;
  }
  if (opening.has_value()) worker_.http2_pool().NoteHttp1(key);
  auto connection = std::make_unique<UpstreamConnection>(std::move(opened.stream), worker_.scratch(), std::move(own),
                                                         std::move(slot));
  dialed.stream = std::make_unique<Http1Upstream>(worker_, std::move(connection));
  co_return dialed;
}

io::Task<Dialer::Opened> Dialer::OpenStream(const PoolKey& key, MonotonicTime deadline) {
  Opened opened;
  const io::Endpoint to{key.address, key.port};
  io::Connected connected = co_await io::ConnectTcp(worker_.loop(), to, deadline, &cancellation_);
  if (connected.error != io::IoError::kNone) {
    opened.error = connected.error == io::IoError::kTimeout ? DialError::kTimeout : DialError::kRefused;
    if (connected.error == io::IoError::kCancelled) opened.error = DialError::kClientGone;
    co_return opened;
  }
  opened.stream = std::move(connected.stream);
  opened.http2 = destination_.versions == HttpVersions::kHttp2;
  if (!key.tls) co_return opened;
  io::TlsRequest request{.server_name = key.server_name,
                         .rules = destination_.tls_rules,
                         .session = worker_.pool().TlsSessionFor(key),
                         .alpn = AlpnOf(destination_.versions)};
  const io::Cancellation::Scope scope(&cancellation_, [plain = opened.stream.get()] { plain->Cancel(); });
  io::TlsConnected secured =
      co_await io::ConnectTls(std::move(opened.stream), worker_.client_tls(), std::move(request), deadline);
  const bool must_share = std::exchange(opened.http2, secured.alpn == "h2");
  if (secured.error == io::IoError::kNone && must_share && !opened.http2) secured.error = io::IoError::kTls;
  if (secured.error != io::IoError::kNone) {
    opened.error = secured.error == io::IoError::kTimeout ? DialError::kTimeout : DialError::kTls;
    if (cancellation_.cancelled()) opened.error = DialError::kClientGone;
    co_return opened;
  }
  opened.stream = std::move(secured.stream);
  co_return opened;
}

}  // namespace sluice::proxy
