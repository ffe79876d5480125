#include "data-plane/sync/membership.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "common/x509/request.h"
#include "common/x509/verify.h"
#include "data-plane/sync/addresses.h"
#include "data-plane/sync/backoff.h"
#include "data-plane/sync/identity_files.h"
#include "sluice/join/v1/join.grpc.pb.h"

namespace sluice::sync {
namespace {

constexpr int kLifeShare = 20;  // a try to renew waits at most this part of the certificate's life
constexpr char kGatewayUri[] = "sluice://node/gateway/";  // in a certificate: what the node may read
constexpr char kHowToJoin[] =
    "make a token with `sluice node token create --file FILE` and give it with --join-token-file FILE";

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool Names(const std::vector<std::string>& authorities, const std::string& fingerprint) {
  return std::any_of(authorities.begin(), authorities.end(), [&](const std::string& pem) {
    auto read = x509::CertificateFromPem(pem);
    return read.ok() && x509::Fingerprint(*read) == fingerprint;
  });
}

class Member final : public Membership {
 public:
  Member(MembershipOptions options, std::optional<Identity> identity, const Clock& clock, Status& status)
      : options_(std::move(options)), clock_(clock), status_(status), addresses_(options_.control_planes) {
    if (identity) Take(*std::move(identity));
    urgent_ = joined_ && FreshToken().ok();  // who brings a new token has a reason: is the certificate still good?
    thread_ = std::thread([this] { Run(); });
  }
  ~Member() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      if (call_ != nullptr) call_->TryCancel();
    }
    wake_.notify_all();
    thread_.join();
  }

  bool joined() const override { return joined_; }
  rpc::TlsFiles files() const override { return IdentityFiles(options_.folder); }

  void Trust(const std::vector<std::string>& authorities) override {
    std::lock_guard lock(mutex_);
    trust_ = authorities;
    wake_.notify_all();
  }

 private:
  void Run() {
    int failures = 0;
    MonotonicTime next{};
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (!trust_.empty()) {
        const std::vector<std::string> authorities = std::exchange(trust_, {});
        lock.unlock();
        TakeTrust(authorities);
        lock.lock();
      }
      if (clock_.Now() >= next && IsDue()) {
        lock.unlock();
        const absl::Status done = Try();
        failures = done.ok() ? 0 : failures + 1;
        next = clock_.Now() + (done.ok() ? Duration{} : NextTry(failures));
        lock.lock();
        continue;
      }
      const Duration rest = next > clock_.Now() ? next - clock_.Now() : kMembershipTurn;
      wake_.wait_for(lock, std::min(rest, kMembershipTurn), [&] { return stop_ || !trust_.empty(); });
    }
  }

  Duration NextTry(int failures) const {
    return Backoff(kFirstMembershipRetry, MaxRetry(), addresses_.Rounds(failures));
  }
  bool IsDue() const {
    return !identity_ || urgent_ || status_.refused || clock_.WallNow() >= renew_at_;
  }
  Duration MaxRetry() const {
    if (!identity_ || IsExpired()) return kMaxJoinRetry;
    return std::clamp<Duration>(Life() / kLifeShare, kFirstMembershipRetry, kMaxRenewRetry);
  }
  bool IsExpired() const { return clock_.WallNow() >= x509::NotAfter(identity_->certificate); }
  Duration Life() const { return x509::NotAfter(identity_->certificate) - x509::NotBefore(identity_->certificate); }

  // Renews, and joins where that does not help. Whether the certificate has expired is the control plane's to say,
  // whose clock is another one.
  absl::Status Try() {
    absl::Status done = identity_ ? Renew() : Join();
    if (!done.ok() && identity_ && FreshToken().ok()) done = Join();
    addresses_.Next();
    if (done.ok()) {
      urgent_ = false;
      status_.refused = false;
      said_.clear();
      ++status_.certificate_renewals;
    } else {
      ++status_.certificate_failures;
      Say(done);
    }
    return done;
  }

  // Once for each reason, and again when the certificate has expired.
  void Say(const absl::Status& why) {
    const std::string reason(why.message());
    const std::string said = absl::StrCat(identity_ && IsExpired() ? "expired: " : "", reason);
    if (std::exchange(said_, said) == said) return;
    if (!identity_) {
      log::Error("the node has not joined; it keeps trying", {{"reason", reason}, {"help", kHowToJoin}});
    } else if (IsExpired() || absl::IsPermissionDenied(why)) {
      log::Error("the node's certificate is good no more; it serves what it has", {{"reason", reason},
                                                                                   {"help", kHowToJoin}});
    } else {
      log::Warning("the node's certificate could not be renewed; it keeps trying", {{"reason", reason}});
    }
  }

  // A token that this node has not joined with.
  absl::StatusOr<std::string> FreshToken() const {
    if (options_.token_file.empty()) return absl::FailedPreconditionError("no join token was given");
    auto token = ReadToken(options_.token_file);
    if (token.ok() && WasUsed(options_.folder, *token)) {
      return absl::FailedPreconditionError("the join token was used already");
    }
    return token;
  }

  absl::Status Join() {
    auto token = FreshToken();
    if (!token.ok()) return token.status();
    const std::string pin = token->substr(token->rfind('.') + 1);
    auto key = JoiningKey(options_.folder);
    if (!key.ok()) return key.status();
    const auto channel = rpc::MakeChannel(addresses_.current(),
                                          rpc::PinnedCredentials(pin, HostOf(addresses_.current())));
    join::v1::JoinRequest request;
    request.set_token(*token);
    request.set_node(options_.node);
    request.set_request(x509::MakeRequest(*key));
    join::v1::Membership answer;
    absl::Status done = Call([&](grpc::ClientContext& context) {
      return join::v1::Join::NewStub(channel)->Join(&context, request, &answer);
    });
    if (!done.ok()) return done;
    const std::vector<std::string> authorities(answer.authorities().begin(), answer.authorities().end());
    if (!Names(authorities, pin)) return absl::UnauthenticatedError("the answer leaves out the token's authority");
    auto identity = WriteIdentity(options_.folder, *key, answer.certificate(), authorities);
    if (!identity.ok()) return identity.status();
    Take(*std::move(identity));
    log::Info("the node joined", {{"node", options_.node}, {"control_plane", addresses_.current()}});
    return ForgetJoining(options_.folder, *token);
  }

  absl::Status Renew() {
    auto credentials = rpc::ClientCredentials(files());
    if (!credentials.ok()) return credentials.status();
    const auto channel = rpc::MakeChannel(addresses_.current(), *credentials);
    join::v1::Membership answer;
    absl::Status done = Call([&](grpc::ClientContext& context) {
      return join::v1::Join::NewStub(channel)->Renew(&context, join::v1::RenewRequest(), &answer);
    });
    if (!done.ok()) return done;
    auto identity = WriteIdentity(options_.folder, identity_->key, answer.certificate(),
                                  {answer.authorities().begin(), answer.authorities().end()});
    if (!identity.ok()) return identity.status();
    Take(*std::move(identity));
    log::Info("the node's certificate was renewed", {{"node", options_.node}});
    return absl::OkStatus();
  }

  // At most kMembershipCall, and ended when this object ends.
  template <typename Send>
  absl::Status Call(const Send& send) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kMembershipCall);
    {
      std::lock_guard lock(mutex_);
      if (stop_) return absl::CancelledError("the node stops");
      call_ = &context;
    }
    const grpc::Status status = send(context);
    std::lock_guard lock(mutex_);
    call_ = nullptr;
    return ToStatus(status);
  }

  // Everything that follows from a new certificate.
  void Take(Identity identity) {
    identity_ = std::move(identity);
    const WallTime from = x509::NotBefore(identity_->certificate);
    renew_at_ = from + (x509::NotAfter(identity_->certificate) - from) * 2 / 3;
    status_.certificate_expires_at = UnixSeconds(x509::NotAfter(identity_->certificate));
    const std::vector<std::string> uris = x509::Uris(identity_->certificate);
    status_.of_gateway = !uris.empty() && uris.front().starts_with(kGatewayUri);
    joined_ = true;
  }

  void TakeTrust(const std::vector<std::string>& authorities) {
    const absl::Status kept = WriteAuthorities(options_.folder, authorities);
    if (!kept.ok()) log::Error("cannot keep whom to trust", {{"reason", std::string(kept.message())}});
    auto newest = x509::CertificateFromPem(authorities.back());
    const bool of_newest =
        !newest.ok() || !identity_ ||
        x509::Verify(identity_->certificate, *newest, x509::Purpose::kClient, clock_.WallNow()).ok();
    urgent_ = urgent_ || !of_newest;
  }

  const MembershipOptions options_;
  const Clock& clock_;
  Status& status_;
  Addresses addresses_;  // the thread's
  std::atomic<bool> joined_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  grpc::ClientContext* call_ = nullptr;
  std::vector<std::string> trust_;  // to be taken over

  // The thread's.
  std::optional<Identity> identity_;
  WallTime renew_at_{};
  bool urgent_ = false;
  std::string said_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Membership>> Membership::Start(MembershipOptions options, const Clock& clock,
                                                              Status& status) {
  auto identity = ReadIdentity(options.folder);
  if (!identity.ok()) return identity.status();
  if (identity->has_value() && x509::CommonName((*identity)->certificate) != options.node) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the certificate in ", options.folder, " is of node \"", x509::CommonName((*identity)->certificate),
        "\": give --name so, or remove the folder and join \"", options.node, "\" with a token of its own"));
  }
  return std::make_unique<Member>(std::move(options), *std::move(identity), clock, status);
}

}  // namespace sluice::sync
