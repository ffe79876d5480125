// Sessions: when a client resumes, and when it must not.

#include <openssl/ssl.h>

#include "data-plane/io/tls.h"
#include "tests/data-plane/io/tls_fixture.h"

namespace sluice::io {
namespace {

// A client that resumes where it can, of TLS 1.2 or 1.3; a.test and b.test have certificates and owners of their own.
struct Resuming : TlsFixture {
  explicit Resuming(int version) : TlsFixture({.dns = {"a.test", "b.test"}}) {
    SSL_CTX_set_max_proto_version(client.get(), version);
    session = std::make_shared<TlsSession>();
    owners.by_name["a.test"].id = "gateway-1";
    owners.by_name["b.test"].id = "gateway-1";
  }
  bool Resumes(const std::string& name) {
    HandshakeAndRead(name);
    CHECK(connected.resumed == accepted.resumed);
    return accepted.resumed;
  }
};

TEST_CASE("a session is resumed under the same name, again and again") {
  Resuming t(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  CHECK_FALSE(t.Resumes("a.test"));
  CHECK(t.Resumes("a.test"));
  CHECK(t.Resumes("A.test"));
}

TEST_CASE("a session is not resumed under another name, not even the same gateway's") {
  Resuming t(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  CHECK_FALSE(t.Resumes("a.test"));
  CHECK_FALSE(t.Resumes("b.test"));
}

TEST_CASE("a session is not resumed once its name belongs to another gateway") {
  Resuming t(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  CHECK_FALSE(t.Resumes("a.test"));
  t.owners.by_name["a.test"].id = "gateway-2";
  CHECK_FALSE(t.Resumes("a.test"));
}

TEST_CASE("a ticket is good for two changes of keys, and no more") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Resuming kept(version), lost(version);
  CHECK_FALSE(kept.Resumes("a.test"));
  kept.clock.now += 3 * TicketKeys::kRotation - std::chrono::seconds(1);
  CHECK(kept.Resumes("a.test"));
  CHECK_FALSE(lost.Resumes("a.test"));
  lost.clock.now += 3 * TicketKeys::kRotation;
  CHECK_FALSE(lost.Resumes("a.test"));
}

TEST_CASE("another server, with keys of its own, resumes nothing") {
  Resuming t(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  CHECK_FALSE(t.Resumes("a.test"));
  t.Serve({t.authority.Issue("again", {.dns = {"a.test"}})});
  CHECK_FALSE(t.Resumes("a.test"));
}

TEST_CASE("a ticket says how long it is good for, and allows no early data") {
  Resuming t(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  CHECK_FALSE(t.Resumes("a.test"));
  const std::chrono::seconds lifetime(SSL_SESSION_get_ticket_lifetime_hint(t.session->get()));
  CHECK(lifetime == kTicketLifetime);
  CHECK(SSL_SESSION_get_max_early_data(t.session->get()) == 0);
}

TEST_CASE("a client without a place for sessions resumes nothing") {
  Resuming t(TLS1_3_VERSION);
  t.session = nullptr;
  CHECK_FALSE(t.Resumes("a.test"));
  CHECK_FALSE(t.Resumes("a.test"));
}

// A key's context, made ready to seal or to open.
struct Contexts {
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* mac = EVP_MAC_CTX_new(hmac);
  ~Contexts() {
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(hmac);
  }
};

TEST_CASE("keys that nobody asked for while they were young open nothing, however long that was") {
  MovableClock clock;
  TicketKeys keys(clock);
  Contexts contexts;
  uint8_t name[TicketKeys::kNameBytes], iv[TicketKeys::kIvBytes];
  REQUIRE(keys.Seal(name, iv, contexts.cipher, contexts.mac));
  CHECK(keys.Open(name, iv, contexts.cipher, contexts.mac) == TicketKeys::Opened::kCurrent);
  clock.now += TicketKeys::kRotation;
  CHECK(keys.Open(name, iv, contexts.cipher, contexts.mac) == TicketKeys::Opened::kOlder);
  clock.now += 1000 * TicketKeys::kRotation;
  CHECK(keys.Open(name, iv, contexts.cipher, contexts.mac) == TicketKeys::Opened::kUnknown);
}

}  // namespace
}  // namespace sluice::io
