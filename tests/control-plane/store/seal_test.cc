#include "control-plane/store/seal.h"

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

constexpr Place kHere{"g", "certificate", "c", "body"};

KeyRing Ring(const std::string& text = KeyRing::NewKey()) {
  auto ring = KeyRing::Parse(text);
  REQUIRE(ring.ok());
  return *ring;
}

std::string KeyError(const std::string& text) {
  return std::string(KeyRing::Parse(text).status().message());
}

KeySource Always(const std::string& text) {
  return [text](bool) { return KeyRing::Parse(text); };
}

TEST_CASE("a sealed value opens where it was sealed, and shows nothing of itself") {
  const KeyRing ring = Ring();
  const std::string sealed = ring.Seal("secret", kHere);
  CHECK(*ring.Open(sealed, kHere) == "secret");
  CHECK(sealed.find("secret") == std::string::npos);
  CHECK(sealed.size() == 6 + KeyRing::kOverhead);
  CHECK(*ring.Open(ring.Seal("", kHere), kHere) == "");
}

TEST_CASE("a value sealed twice is two values") {
  const KeyRing ring = Ring();
  CHECK(ring.Seal("secret", kHere) != ring.Seal("secret", kHere));
}

TEST_CASE("a sealed value opens in no other place") {
  const KeyRing ring = Ring();
  const std::string sealed = ring.Seal("secret", kHere);
  for (const Place& other : {Place{"h", "certificate", "c", "body"}, Place{"g", "service", "c", "body"},
                             Place{"g", "certificate", "d", "body"}, Place{"g", "certificate", "c", "config"},
                             Place{"gc", "ertificate", "c", "body"}}) {
    CHECK(absl::IsDataLoss(ring.Open(sealed, other).status()));
  }
}

TEST_CASE("a sealed value with any bit changed, or cut short, does not open") {
  const KeyRing ring = Ring();
  const std::string sealed = ring.Seal("secret", kHere);
  for (size_t i = 1; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(absl::IsDataLoss(ring.Open(changed, kHere).status()));
    CHECK(absl::IsDataLoss(ring.Open(sealed.substr(0, i), kHere).status()));
  }
}

TEST_CASE("AES-256-GCM: a value that another implementation sealed opens") {
  // Key of 32 bytes 'k', nonce of 12 bytes 'n'; ciphertext and tag from Python's cryptography.
  const KeyRing ring = Ring(absl::Base64Escape(std::string(32, 'k')));
  const std::string sealed = std::string("\0\1", 2) + ring.current() + std::string(12, 'n') +
                             absl::HexStringToBytes("eb5e84c274c01e496c4cf6233fafd5373e651d31420b");
  CHECK(*ring.Open(sealed, kHere) == "secret");
}

TEST_CASE("what was written before sealing is read as it is") {
  CHECK(*Ring().Open("\nplain", kHere) == "\nplain");
}

TEST_CASE("the first key seals, and every key opens") {
  const std::string old_key = KeyRing::NewKey(), new_key = KeyRing::NewKey();
  const std::string sealed = Ring(old_key).Seal("secret", kHere);
  CHECK(*Ring(new_key + old_key).Open(sealed, kHere) == "secret");
  CHECK(Ring(new_key + old_key).current() == Ring(new_key).current());
  CHECK(Ring(new_key).Open(sealed, kHere).status().message() ==
        "a value was sealed with secret key " + Ring(old_key).current() + ", which is not here");
}

TEST_CASE("keys are 32 bytes in base64, at most eight, and never repeated in an error") {
  std::string keys;
  for (size_t i = 0; i < KeyRing::kMaxKeys; ++i) keys += KeyRing::NewKey();
  CHECK(KeyError(keys) == "");
  CHECK(KeyError(keys + KeyRing::NewKey()) == "more than 8 keys");
  CHECK(KeyError(" \n") == "holds no key: 32 bytes in base64 are expected");
  CHECK(KeyError("c2hvcnQ=") == "key 1 is not 32 bytes in base64");
  CHECK(KeyError(KeyRing::NewKey() + "secret!") == "key 2 is not 32 bytes in base64");
}

TEST_CASE("nothing of an entity or a configuration is in the database in clear") {
  Database database;
  Write write = WriteOf(1, 0);
  write.config.add_services()->set_host("secret-in-config");
  write.entities = {Service("s", "a")};
  REQUIRE(database->Commit(write).ok());
  for (const std::string column : {"config from versions", "config from gateway_config"}) {
    const std::string stored = database.Query("select " + column);
    CHECK(stored.size() > 40);
    CHECK(stored.find("secret-in") == std::string::npos);
    CHECK(stored.find("7365637265742d696e") == std::string::npos);
  }
  CHECK(database->GetVersion("1", 0)->config.find("secret-in-config") != std::string::npos);
  CHECK((*database->ConfigsAfter(0, 1))[0].config == database->GetVersion("1", 0)->config);
}

TEST_CASE("a configuration copied to another gateway's row does not open, and the others do") {
  Database database;
  database.Create(1);
  database.Create(2);
  database.Query(
      "update gateway_config a set config = b.config from gateway_config b where a.gateway_id = '1' and "
      "b.gateway_id = '2'");
  const auto rows = database->ConfigsAfter(0, 10);
  REQUIRE(rows.ok());
  CHECK((*rows)[0].unreadable);
  CHECK((*rows)[0].config.empty());
  CHECK_FALSE((*rows)[1].unreadable);
  CHECK((*rows)[1].config == database->GetVersion("2", 0)->config);
}

TEST_CASE("a database that was sealed with another key is not opened") {
  Database database;
  Options options = database.options();
  options.keys = Always(KeyRing::NewKey());
  const absl::Status status = Store::Open(options, {}).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message().find("give the secret key file of this database") != std::string::npos);
}

TEST_CASE("a new key is made only for a database that none has sealed") {
  Database database;
  Options options = database.options();
  bool fresh = true;
  options.keys = [&](bool is_fresh) {
    fresh = is_fresh;
    return database.options().keys(is_fresh);
  };
  CHECK(Store::Open(options, {}).ok());
  CHECK_FALSE(fresh);
}

TEST_CASE("a key is replaced by writing the new one before it") {
  Database database;
  database.Create();
  Options options = database.options();
  const std::string new_key = KeyRing::NewKey(), old_key = database.key();
  options.keys = Always(new_key + old_key);
  CHECK((*Store::Open(options, {}))->GetVersion("1", 1).ok());
  options.keys = Always(old_key);
  CHECK(absl::IsFailedPrecondition(Store::Open(options, {}).status()));
}

}  // namespace
}  // namespace sluice::store
