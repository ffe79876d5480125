#include "data-plane/io/resolver.h"

#include "catch2/catch.hpp"
#include "tests/data-plane/io/dns_server.h"
#include "tests/data-plane/io/support.h"
#include "tests/support/eventually.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;
using test::Eventually;
using Addresses = std::vector<std::string>;
using Outcome = Resolved::Outcome;

Task<void> Ask(Resolver& resolver, std::string name, MonotonicTime deadline, Resolved& out) {
  Question question{std::move(name), deadline};
  out = co_await resolver.Resolve(std::move(question));
}

Task<void> AskAs(Resolver& resolver, Question question, Resolved& out) {
  out = co_await resolver.Resolve(std::move(question));
}

Task<void> Count(Resolver& resolver, std::string name, int& answered, int expected, Loop& loop) {
  Question question{std::move(name), kNever};
  const Resolved result = co_await resolver.Resolve(std::move(question));
  if (result.outcome == Outcome::kFound && ++answered == expected) loop.Stop();
}

Task<void> SleepUntil(Loop& loop, MonotonicTime when) { co_await loop.SleepUntil(when); }

struct Fixture {
  DnsServer server;
  Loop loop;
  std::unique_ptr<Resolver> resolver = Resolver::Make(loop, server.servers());
  Resolved Resolve(const std::string& name, Duration limit = 30s) {
    Resolved result;
    RunTask(loop, Ask(*resolver, name, loop.Now() + limit, result));
    return result;
  }
};

TEST_CASE("a name has its addresses, IPv4 before IPv6") {
  Fixture t;
  t.server.Put("both.test", {.v4 = {"192.0.2.1", "192.0.2.2"}, .v6 = {"2001:db8::1"}});
  const Resolved result = t.Resolve("both.test");
  CHECK(result.outcome == Outcome::kFound);
  CHECK(result.addresses == Addresses{"192.0.2.1", "192.0.2.2", "2001:db8::1"});
}

TEST_CASE("an answer is kept, whatever the case and the trailing dot") {
  Fixture t;
  t.server.Put("kept.test", {.v4 = {"192.0.2.1"}, .v6 = {}});
  CHECK(t.Resolve("kept.test").outcome == Outcome::kFound);
  CHECK(t.Resolve("KEPT.test").outcome == Outcome::kFound);
  CHECK(t.Resolve("kept.test.").addresses == Addresses{"192.0.2.1"});
  CHECK(t.server.asked("kept.test") == 1);
}

TEST_CASE("an answer without a time to live is asked for again after the least one") {
  Fixture t;
  t.server.Put("brief.test", {.v4 = {"192.0.2.1"}, .v6 = {}, .ttl = 0});
  t.Resolve("brief.test");
  t.Resolve("brief.test");
  CHECK(t.server.asked("brief.test") == 1);
  t.server.Put("brief.test", {.v4 = {"192.0.2.9"}, .v6 = {}, .ttl = 0});
  RunTask(t.loop, SleepUntil(t.loop, t.loop.Now() + kMinTtl + 10ms));
  CHECK(t.Resolve("brief.test").addresses == Addresses{"192.0.2.9"});
}

TEST_CASE("many who ask at once share one query") {
  Fixture t;
  t.server.Put("shared.test", {.v4 = {"192.0.2.1"}, .v6 = {}});
  int answered = 0;
  for (int i = 0; i < 50; ++i) t.loop.Spawn(Count(*t.resolver, "shared.test", answered, 50, t.loop));
  t.loop.Run();
  CHECK(answered == 50);
  CHECK(t.server.asked("shared.test") == 1);
}

TEST_CASE("no such name is an answer of its own, and kept") {
  Fixture t;
  CHECK(t.Resolve("nowhere.test").outcome == Outcome::kNoSuchName);
  CHECK(t.Resolve("nowhere.test").outcome == Outcome::kNoSuchName);
  CHECK(t.server.asked("nowhere.test") == 1);
}

TEST_CASE("a name without addresses is no such name") {
  Fixture t;
  t.server.Put("empty.test", {.v4 = {}, .v6 = {}});
  CHECK(t.Resolve("empty.test").outcome == Outcome::kNoSuchName);
}

TEST_CASE("a failing server is a failure") {
  Fixture t;
  t.server.Put("broken.test", {.v4 = {}, .v6 = {}, .rcode = 2});
  CHECK(t.Resolve("broken.test").outcome == Outcome::kFailed);
}

TEST_CASE("a failing server leaves the stale answer in use") {
  Fixture t;
  t.server.Put("stale.test", {.v4 = {"192.0.2.1"}, .v6 = {}, .ttl = 0});
  t.Resolve("stale.test");
  t.server.Put("stale.test", {.v4 = {}, .v6 = {}, .rcode = 2});
  RunTask(t.loop, SleepUntil(t.loop, t.loop.Now() + kMinTtl + 10ms));
  const Resolved result = t.Resolve("stale.test");
  CHECK(t.server.asked("stale.test") >= 2);
  CHECK(result.addresses == Addresses{"192.0.2.1"});
}

TEST_CASE("a name that vanished has no stale answer") {
  Fixture t;
  t.server.Put("gone.test", {.v4 = {"192.0.2.1"}, .v6 = {}, .ttl = 0});
  t.Resolve("gone.test");
  t.server.Put("gone.test", {.v4 = {}, .v6 = {}, .rcode = 3});
  RunTask(t.loop, SleepUntil(t.loop, t.loop.Now() + kMinTtl + 10ms));
  CHECK(t.Resolve("gone.test").outcome == Outcome::kNoSuchName);
}

TEST_CASE("asking ends at its deadline") {
  Fixture t;
  t.server.Put("silent.test", {.v4 = {}, .v6 = {}, .silent = true});
  CHECK(t.Resolve("silent.test", 20ms).outcome == Outcome::kTimeout);
}

TEST_CASE("servers that never answer are a failure in the end") {
  Fixture t;
  t.server.Put("silent.test", {.v4 = {}, .v6 = {}, .silent = true});
  CHECK(t.Resolve("silent.test").outcome == Outcome::kFailed);
}

TEST_CASE("a truncated answer is asked for over TCP") {
  Fixture t;
  t.server.Put("long.test", {.v4 = {"192.0.2.1"}, .v6 = {}, .only_over_tcp = true});
  CHECK(t.Resolve("long.test").addresses == Addresses{"192.0.2.1"});
}

TEST_CASE("an address is its own answer, in canonical form") {
  Fixture t;
  CHECK(t.Resolve("192.0.2.1").addresses == Addresses{"192.0.2.1"});
  CHECK(t.Resolve("2001:DB8:0::1").addresses == Addresses{"2001:db8::1"});
  CHECK(t.server.asked_in_all() == 0);
}

TEST_CASE("names under localhost are loopback without asking") {
  Fixture t;
  CHECK(t.Resolve("localhost").addresses == Addresses{"127.0.0.1", "::1"});
  CHECK(t.Resolve("Any.Localhost.").addresses == Addresses{"127.0.0.1", "::1"});
  CHECK(t.server.asked_in_all() == 0);
}

TEST_CASE("what cannot be a name is not asked for") {
  Fixture t;
  std::vector<std::string> names = {"", ".", "a..b", "a b", "a/b"};
  names.emplace_back("a\0b", 3);
  names.emplace_back(64, 'a');
  for (const std::string& name : names) CHECK(t.Resolve(name).outcome == Outcome::kNoSuchName);
  CHECK(t.server.asked_in_all() == 0);
}

TEST_CASE("a name is asked for as it is, without search domains") {
  Fixture t;
  t.Resolve("single");
  CHECK(t.server.asked("single") == 1);
  CHECK(t.server.asked_in_all() == 2);  // A and AAAA
}

TEST_CASE("more addresses than the limit are cut") {
  Fixture t;
  std::vector<std::string> many;
  for (size_t i = 0; i <= kMaxAddresses; ++i) many.push_back("192.0.2." + std::to_string(i));
  t.server.Put("many.test", {.v4 = many, .v6 = {}, .only_over_tcp = true});
  CHECK(t.Resolve("many.test").addresses.size() == kMaxAddresses);
}

TEST_CASE("a list of servers that is none makes no resolver") {
  Loop loop;
  CHECK(Resolver::Make(loop, "not an address") == nullptr);
  CHECK(Resolver::Make(loop, "127.0.0.1:53,[::1]:5353") != nullptr);
}

TEST_CASE("a resolver may go while its questions are open") {
  DnsServer server;
  server.Put("silent.test", {.v4 = {}, .v6 = {}, .silent = true});
  Loop loop;
  auto resolver = Resolver::Make(loop, server.servers());
  Resolved result;
  loop.Spawn(Ask(*resolver, "silent.test", kNever, result));
  RunTask(loop, SleepUntil(loop, loop.Now() + 10ms));
  resolver.reset();
  SUCCEED("and the loop frees the one who asked");
}

TEST_CASE("an asker has as many queries under way as it may, and others ask beside it") {
  Fixture t;
  std::vector<Resolved> results(kMaxQueriesPerAsker);
  const auto name = [](size_t i) { return "silent" + std::to_string(i) + ".test"; };
  for (size_t i = 0; i < results.size(); ++i) {
    t.server.Put(name(i), {.v4 = {}, .v6 = {}, .silent = true});
    t.loop.Spawn(AskAs(*t.resolver, {name(i), t.loop.Now() + 30s, "a"}, results[i]));
  }
  t.server.Put("known.test", {.v4 = {"192.0.2.1"}, .v6 = {}});
  Resolved past, other;
  RunTask(t.loop, AskAs(*t.resolver, {"known.test", t.loop.Now() + 50ms, "a"}, past));
  CHECK(past.outcome == Outcome::kTimeout);
  CHECK(t.server.asked("known.test") == 0);
  CHECK(t.resolver->delayed() == 1);
  CHECK(Eventually([&] { return t.server.asked(name(kMaxQueriesPerAsker - 1)) > 0; }));
  RunTask(t.loop, AskAs(*t.resolver, {"known.test", t.loop.Now() + 30s, "b"}, other));
  CHECK(other.outcome == Outcome::kFound);
  RunTask(t.loop, AskAs(*t.resolver, {"known.test", t.loop.Now() + 30s, "a"}, past));  // what is known needs no query
  CHECK(past.outcome == Outcome::kFound);
  CHECK(t.resolver->delayed() == 1);
}

TEST_CASE("who waits to ask goes on when another of its asker has its answer") {
  Loop loop;
  DnsServer server;
  const std::unique_ptr<Resolver> resolver = Resolver::Make(loop, server.servers(), 1);
  server.Put("first.test", {.v4 = {"192.0.2.1"}, .v6 = {}});
  server.Put("second.test", {.v4 = {"192.0.2.2"}, .v6 = {}});
  Resolved first, second;
  loop.Spawn(AskAs(*resolver, {"first.test", kNever, "a"}, first));
  RunTask(loop, AskAs(*resolver, {"second.test", kNever, "a"}, second));
  CHECK(first.outcome == Outcome::kFound);
  CHECK(second.addresses == Addresses{"192.0.2.2"});
  CHECK(resolver->delayed() == 1);
}

TEST_CASE("a question ends at once when it is cancelled, and its query goes on for the next") {
  Fixture t;
  t.server.Put("slow.test", {.v4 = {}, .v6 = {}, .silent = true});
  Cancellation cancellation;
  Timer timer;
  timer.Arm(t.loop, t.loop.Now() + 20ms, [](void* self) { static_cast<Cancellation*>(self)->Cancel(); }, &cancellation);
  Resolved result;
  RunTask(t.loop, AskAs(*t.resolver, {"slow.test", kNever, "a", &cancellation}, result));
  CHECK(result.outcome == Outcome::kTimeout);
  t.server.Put("slow.test", {.v4 = {"192.0.2.3"}, .v6 = {}});
  CHECK(t.Resolve("slow.test").addresses == Addresses{"192.0.2.3"});
}

}  // namespace
}  // namespace sluice::io
