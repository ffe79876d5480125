#include "control-plane/access/access.h"

#include "catch2/catch.hpp"
#include "tests/support/fake_store.h"

using namespace sluice;
using access::Access;
using access::Role;

namespace {

class ManualClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return {}; }
  MonotonicTime now{};
};

const std::string kToken = "slc_0123456789abcdefghij";

struct Fixture {
  test::FakeStore store;
  ManualClock clock;
  Access access{store, clock};
  void Known(const std::string& token, const std::string& role) {
    REQUIRE(store.PutToken({"id", "ann", role}, access::HashToken(token)).ok());
  }
  absl::StatusCode Code(const std::string& authorization) { return access.Authenticate(authorization).status().code(); }
};

}  // namespace

TEST_CASE("a known token names its caller and role") {
  Fixture f;
  f.Known(kToken, "operator");
  const auto caller = f.access.Authenticate("Bearer " + kToken);
  REQUIRE(caller.ok());
  CHECK(caller->name == "ann");
  CHECK(caller->role == Role::kOperator);
}

TEST_CASE("the scheme is case-insensitive") {
  Fixture f;
  f.Known(kToken, "viewer");
  CHECK(f.Code("bearer " + kToken) == absl::StatusCode::kOk);
}

TEST_CASE("no token, another scheme, and an unknown token are unauthenticated") {
  Fixture f;
  CHECK(f.Code("") == absl::StatusCode::kUnauthenticated);
  CHECK(f.Code("Basic dXNlcjpwYXNz") == absl::StatusCode::kUnauthenticated);
  CHECK(f.Code("Bearer " + kToken) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("a role that this version does not know gives no access") {
  Fixture f;
  f.Known(kToken, "superuser");
  CHECK(f.Code("Bearer " + kToken) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("texts that cannot be tokens are refused without asking the database") {
  Fixture f;
  f.Code("Bearer " + std::string(access::kMinTokenBytes - 1, 'a'));
  f.Code("Bearer " + std::string(access::kMaxTokenBytes + 1, 'a'));
  f.Code("Bearer " + std::string(30, '\n'));
  CHECK(f.store.token_reads == 0);
  f.Code("Bearer " + std::string(access::kMinTokenBytes, 'a'));
  f.Code("Bearer " + std::string(access::kMaxTokenBytes, 'a'));
  CHECK(f.store.token_reads == 2);
}

TEST_CASE("no error holds the token") {
  Fixture f;
  const absl::Status status = f.access.Authenticate("Bearer " + kToken).status();
  CHECK(std::string(status.message()).find(kToken) == std::string::npos);
}

TEST_CASE("a token is read again only after the cache's time") {
  Fixture f;
  f.Known(kToken, "viewer");
  f.Code("Bearer " + kToken);
  f.clock.now += Access::kCacheTtl - std::chrono::nanoseconds(1);
  f.Code("Bearer " + kToken);
  CHECK(f.store.token_reads == 1);
  f.clock.now += std::chrono::nanoseconds(1);
  f.Code("Bearer " + kToken);
  CHECK(f.store.token_reads == 2);
}

TEST_CASE("a known token is taken for a while when the database is away, and no longer") {
  Fixture f;
  f.Known(kToken, "viewer");
  f.Code("Bearer " + kToken);
  f.store.down = true;
  f.clock.now += Access::kMaxStale - std::chrono::nanoseconds(1);
  CHECK(f.Code("Bearer " + kToken) == absl::StatusCode::kOk);
  f.clock.now += std::chrono::nanoseconds(1);
  CHECK(f.Code("Bearer " + kToken) == absl::StatusCode::kUnavailable);
}

TEST_CASE("unknown tokens are not remembered") {
  Fixture f;
  for (int i = 0; i < 10; ++i) f.Code("Bearer " + kToken + std::to_string(i));
  CHECK(f.access.cached() == 0);
}

TEST_CASE("the cache holds its maximum of tokens and one more pushes the oldest out") {
  Fixture f;
  for (size_t i = 0; i <= Access::kMaxCached; ++i) {
    if (i == Access::kMaxCached) CHECK(f.access.cached() == Access::kMaxCached);
    f.clock.now += std::chrono::nanoseconds(1);
    const std::string token = kToken + std::to_string(i);
    f.Known(token, "viewer");
    f.Code("Bearer " + token);
  }
  CHECK(f.access.cached() == Access::kMaxCached);
  f.Code("Bearer " + kToken + "0");
  CHECK(f.store.token_reads == static_cast<int>(Access::kMaxCached) + 2);
}

TEST_CASE("new tokens are told apart and can be used") {
  const std::string token = access::NewToken();
  CHECK(token.starts_with("slc_"));
  CHECK(token.size() == 44);
  CHECK(token != access::NewToken());
  CHECK(access::HashToken(token).size() == 32);
}

TEST_CASE("a token's hash is its SHA-256") {
  CHECK(access::HashToken("abc").substr(0, 4) == "\xba\x78\x16\xbf");
}
