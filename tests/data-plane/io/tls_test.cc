#include "data-plane/io/tls.h"

#include <openssl/ssl.h>

#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/tls_fixture.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a handshake with the right name gives both sides a stream") {
  TlsFixture t;
  t.Handshake("a.test");
  REQUIRE(t.connected.stream != nullptr);
  REQUIRE(t.accepted.stream != nullptr);
  CHECK(t.accepted.alpn == "http/1.1");
}

TEST_CASE("the server name is told in lower case without its trailing dot") {
  TlsFixture t;
  t.rules.verify = false;
  t.Handshake("A.Test.");
  CHECK(t.accepted.server_name == "a.test");
}

TEST_CASE("an address is verified as an address and sent without SNI") {
  TlsFixture t;
  t.Handshake("127.0.0.1");
  CHECK(t.connected.stream != nullptr);
  CHECK(t.accepted.server_name == "");
}

TEST_CASE("a certificate for another name is refused") {
  TlsFixture t;
  t.Handshake("b.test");
  CHECK(t.connected.stream == nullptr);
  CHECK(t.connected.error == IoError::kTls);
  CHECK(t.connected.message == "hostname mismatch");
}

TEST_CASE("a certificate for another address is refused") {
  TlsFixture t;
  t.Handshake("127.0.0.2");
  CHECK(t.connected.message == "IP address mismatch");
}

TEST_CASE("an expired certificate is refused") {
  TlsFixture t(TestAuthority::Options{.dns = {"a.test"}, .ips = {}, .expired = true});
  t.Handshake("a.test");
  CHECK(t.connected.message == "certificate has expired");
}

TEST_CASE("a certificate with a common name alone is refused") {
  TlsFixture t(TestAuthority::Options{});
  t.Handshake("common-name.test");
  CHECK(t.connected.message == "hostname mismatch");
}

TEST_CASE("an unknown authority is refused, and the server hears why") {
  TlsFixture t;
  TestAuthority other;
  t.Serve({other.Issue("a", {.dns = {"a.test"}})});
  t.Handshake("a.test");
  CHECK(t.connected.stream == nullptr);
  t.AwaitServer();
  CHECK(t.accepted.stream == nullptr);
  CHECK(t.accepted.error == "tlsv1 alert unknown ca");
}

TEST_CASE("without verification any certificate will do") {
  TlsFixture t;
  t.rules.verify = false;
  t.Handshake("anything.test");
  CHECK(t.connected.stream != nullptr);
}

TEST_CASE("the server name chooses the certificate: exact, then wildcard of one label, then the first") {
  TlsFixture t;
  t.Serve({t.authority.Issue("first", {.dns = {"first.test"}}), t.authority.Issue("wild", {.dns = {"*.wild.test"}}),
           t.authority.Issue("exact", {.dns = {"x.wild.test", "*.x.wild.test"}})});
  for (const char* served : {"first.test", "x.wild.test", "y.wild.test", "z.x.wild.test"}) {
    t.Handshake(served);
    CHECK(t.connected.stream != nullptr);
  }
  for (const char* first_instead : {"wild.test", "a.b.wild.test", "other.test"}) {
    t.Handshake(first_instead);
    CHECK(t.connected.message == "hostname mismatch");
  }
}

TEST_CASE("a megabyte crosses TLS unchanged, then the end is announced") {
  TlsFixture t;
  t.Handshake("a.test");
  std::string sent(1024 * 1024, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 5);
  t.loop.Spawn(WriteThenShutdown(*t.accepted.stream, sent));
  std::string received;
  IoError end = IoError::kNone;
  RunTask(t.loop, ReadAllOf(*t.connected.stream, received, end));
  CHECK(received == sent);
  CHECK(end == IoError::kEnd);
}

TEST_CASE("closing a TLS stream announces the end") {
  TlsFixture t;
  t.Handshake("a.test");
  t.accepted.stream.reset();
  std::string received;
  IoError end = IoError::kNone;
  RunTask(t.loop, ReadAllOf(*t.connected.stream, received, end));
  CHECK(end == IoError::kEnd);
}

TEST_CASE("after the peer's close_notify writing still works") {
  TlsFixture t;
  t.Handshake("a.test");
  t.connected.stream->ShutdownWrite();
  std::string nothing;
  IoError end = IoError::kNone;
  RunTask(t.loop, ReadAllOf(*t.accepted.stream, nothing, end));
  CHECK(end == IoError::kEnd);
  t.loop.Spawn(WriteThenShutdown(*t.accepted.stream, "answer"));
  std::string received;
  RunTask(t.loop, ReadAllOf(*t.connected.stream, received, end));
  CHECK(received == "answer");
}

TEST_CASE("an idle TLS connection is not stale until its peer leaves") {
  TlsFixture t;
  t.Handshake("a.test");
  CHECK_FALSE(t.connected.stream->IsStale());
  t.accepted.stream.reset();
  t.accepted_event.Set();
  RunTask(t.loop, JustWait(t.accepted_event));
  CHECK(t.connected.stream->IsStale());
}

TEST_CASE("cancelling a TLS stream ends reads and writes") {
  TlsFixture t;
  t.Handshake("a.test");
  t.connected.stream->Cancel();
  char byte;
  CHECK(t.connected.stream->TryRead({&byte, 1}).error == IoError::kCancelled);
  CHECK(t.connected.stream->TryWrite("x").error == IoError::kCancelled);
}

TEST_CASE("a peer that never says hello times out") {
  RawTlsServer t;
  t.Run(10ms);
  CHECK(t.accepted.stream == nullptr);
  CHECK(t.accepted.error == "timeout");
}

TEST_CASE("plain HTTP on a TLS port fails the handshake") {
  RawTlsServer t;
  t.pair.peer.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  t.Run(5s);
  CHECK(t.accepted.error == "http request");
}

TEST_CASE("a peer that leaves during the handshake is told as such") {
  RawTlsServer t;
  t.pair.peer.ShutdownWrite();
  t.Run(5s);
  CHECK(t.accepted.stream == nullptr);
  CHECK_FALSE(t.accepted.error.empty());
}

// A client of plain OpenSSL in a thread, to say what our own client never would.
std::string HandshakeOf(RawTlsServer& t, void (*prepare)(SSL_CTX*)) {
  std::string outcome;
  std::thread client([&t, &outcome, prepare] {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    prepare(context);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, t.pair.peer.fd());
    outcome = SSL_connect(ssl) == 1 ? SSL_get_version(ssl) : "refused";
    SSL_free(ssl);
    SSL_CTX_free(context);
    t.pair.peer.ShutdownWrite();
  });
  t.Run(5s);
  t.accepted.stream.reset();
  client.join();
  return outcome;
}

TEST_CASE("TLS 1.3 and 1.2 are spoken, 1.1 is not") {
  RawTlsServer a, b, c;
  CHECK(HandshakeOf(a, [](SSL_CTX*) {}) == "TLSv1.3");
  CHECK(HandshakeOf(b, [](SSL_CTX* ssl) { SSL_CTX_set_max_proto_version(ssl, TLS1_2_VERSION); }) == "TLSv1.2");
  const auto old = [](SSL_CTX* ssl) {
    SSL_CTX_set_security_level(ssl, 0);
    SSL_CTX_set_min_proto_version(ssl, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(ssl, TLS1_1_VERSION);
  };
  CHECK(HandshakeOf(c, old) == "refused");
}

TEST_CASE("a client of TLS 1.2 with CBC ciphers alone is refused") {
  RawTlsServer t;
  const std::string outcome = HandshakeOf(t, [](SSL_CTX* c) {
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA");
  });
  CHECK(outcome == "refused");
}

TEST_CASE("a client that offers only other protocols by ALPN is refused") {
  RawTlsServer t;
  const std::string outcome = HandshakeOf(t, [](SSL_CTX* c) {
    SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>("\x02h3"), 3);
  });
  CHECK(outcome == "refused");
  CHECK(t.accepted.stream == nullptr);
}

std::string FailureOf(const std::vector<CertificateFiles>& files) {
  return std::string(TlsServer::Make(files, SystemClock()).status().message());
}

TEST_CASE("a certificate that is missing is an error that names it") {
  CHECK(FailureOf({{"/nonexistent/a.pem", "/nonexistent/a.key"}}).find("/nonexistent/a.pem") != std::string::npos);
}

TEST_CASE("a key of another certificate is an error that names both") {
  TestAuthority authority;
  const CertificateFiles a = authority.Issue("a", {});
  const CertificateFiles b = authority.Issue("b", {});
  const std::string failure = FailureOf({{a.certificate_path, b.key_path}});
  CHECK(failure.find(b.key_path) != std::string::npos);
}

TEST_CASE("a server without certificates is an error") { CHECK_FALSE(FailureOf({}).empty()); }

// How reading ends, where a client in a thread asks for new keys and leaves with or without a close_notify.
IoError EndAfterKeyUpdates(int count, bool notify = true) {
  RawTlsServer t;
  std::thread client([&t, count, notify] {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, t.pair.peer.fd());
    if (SSL_connect(ssl) == 1) {
      for (int i = 0; i < count; ++i) {
        SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
        if (SSL_do_handshake(ssl) != 1) break;
      }
      if (notify) SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    t.pair.peer.ShutdownWrite();
  });
  t.Run(5s);
  std::string received;
  IoError end = IoError::kNone;
  if (t.accepted.stream != nullptr) RunTask(t.loop, ReadAllOf(*t.accepted.stream, received, end));
  t.accepted.stream.reset();
  client.join();
  return end;
}

TEST_CASE("a FIN without close_notify is not an end") { CHECK(EndAfterKeyUpdates(0, false) == IoError::kTls); }

TEST_CASE("as many new keys as the limit are allowed") { CHECK(EndAfterKeyUpdates(kMaxKeyUpdates) == IoError::kEnd); }

TEST_CASE("a flood of new keys breaks the connection") {
    CHECK(EndAfterKeyUpdates(100 * kMaxKeyUpdates) == IoError::kTls); }

}  // namespace
}  // namespace sluice::io
