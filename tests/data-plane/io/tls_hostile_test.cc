// What must not pass for a peer, and what a peer must not get us to do.

#include <openssl/ssl.h>

#include <set>
#include <thread>

#include "data-plane/io/tls.h"
#include "tests/data-plane/io/tls_fixture.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;
using Options = TestAuthority::Options;

std::string MessageFor(const Options& options, const std::string& name) {
  TlsFixture t(options);
  t.Handshake(name);
  CHECK((t.connected.stream == nullptr) == (t.connected.error == IoError::kTls));
  return t.connected.message;
}

TEST_CASE("a name that goes on behind a NUL is another name") {
  CHECK(MessageFor({.dns = {std::string("a.test\0.evil.test", 17)}}, "a.test") == "hostname mismatch");
}

TEST_CASE("a star stands for one whole label") {
  CHECK(MessageFor({.dns = {"*.a.test"}}, "b.a.test").empty());
  CHECK(MessageFor({.dns = {"*.a.test"}}, "a.test") == "hostname mismatch");
  CHECK(MessageFor({.dns = {"*.a.test"}}, "c.b.a.test") == "hostname mismatch");
  CHECK(MessageFor({.dns = {"b*.a.test"}}, "bc.a.test") == "hostname mismatch");
  CHECK(MessageFor({.dns = {"*"}}, "test") == "hostname mismatch");
}

TEST_CASE("a name is no address, and an address no name") {
  CHECK(MessageFor({.dns = {"127.0.0.1"}}, "127.0.0.1") == "IP address mismatch");
  CHECK(MessageFor({.dns = {}, .ips = {"127.0.0.1"}}, "localhost") == "hostname mismatch");
}

TEST_CASE("a certificate for clients alone is refused") {
  CHECK(MessageFor({.dns = {"a.test"}, .usage = "clientAuth"}, "a.test") == "unsuitable certificate purpose");
  CHECK(MessageFor({.dns = {"a.test"}, .usage = "serverAuth"}, "a.test").empty());
}

TEST_CASE("a certificate that signs itself is refused") {
  CHECK(MessageFor({.dns = {"a.test"}, .self_signed = true}, "a.test") == "self-signed certificate");
}

TEST_CASE("a chain is as deep as the rules allow") {
  TlsFixture t({.dns = {"a.test"}, .through_intermediate = true});
  t.rules.verify_depth = 1;
  t.Handshake("a.test");
  CHECK(t.connected.stream != nullptr);
  t.rules.verify_depth = 0;
  t.Handshake("a.test");
  CHECK(t.connected.message == "certificate chain too long");
}

TEST_CASE("private authorities are trusted in place of the system's") {
  TlsFixture t;
  TestAuthority other;
  const std::string ours[] = {TextOf(t.authority.ca_path())}, others[] = {TextOf(other.ca_path())};
  t.rules.authorities = *TlsAuthorities::Parse(ours);
  t.Handshake("a.test");
  CHECK(t.connected.stream != nullptr);
  t.rules.authorities = *TlsAuthorities::Parse(others);
  t.Handshake("a.test");
  CHECK(t.connected.message == "unable to get local issuer certificate");
}

TEST_CASE("rules that expect or show something else have another fingerprint") {
  TestAuthority a, b;
  const std::string pems[] = {TextOf(a.ca_path()), TextOf(b.ca_path())};
  const auto show = [&](TestAuthority& authority) { return *Certificate::Load(authority.Issue("c", {})); };
  const std::vector<TlsRules> rules = {
      {}, {.verify = false}, {.verify_depth = 1}, {.verify_depth = 2}, {.certificate = show(a)},
      {.certificate = show(b)}, {.authorities = *TlsAuthorities::Parse({pems, 1})},
      {.authorities = *TlsAuthorities::Parse({pems + 1, 1})}};
  std::set<std::string> fingerprints;
  for (const TlsRules& one : rules) fingerprints.insert(one.Fingerprint());
  CHECK(fingerprints.size() == rules.size());
  CHECK(TlsRules{}.Fingerprint().empty());
}

// What a client of plain OpenSSL in a thread gets done, by what it does to its connection before or behind the
// handshake.
struct Client {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  bool connected = false;
};

template <typename Prepare, typename Then>
void Meet(RawTlsServer& t, const std::string& name, Prepare prepare, Then then) {
  std::thread thread([&] {
    Client client;
    prepare(client);
    client.ssl = SSL_new(client.context);
    SSL_set_tlsext_host_name(client.ssl, name.c_str());
    SSL_set_fd(client.ssl, t.pair.peer.fd());
    client.connected = SSL_connect(client.ssl) == 1;
    then(client);
    SSL_free(client.ssl);
    SSL_CTX_free(client.context);
    t.pair.peer.ShutdownWrite();
  });
  t.Run(5s);
  std::string received;
  IoError end = IoError::kNone;
  if (t.accepted.stream != nullptr) RunTask(t.loop, ReadAllOf(*t.accepted.stream, received, end));
  t.accepted.stream.reset();
  thread.join();
}

TEST_CASE("a client of TLS 1.2 that wants to negotiate again gets no answer to it") {
  RawTlsServer t;
  bool renegotiated = true;
  Meet(t, "a.test", [](Client& c) { SSL_CTX_set_max_proto_version(c.context, TLS1_2_VERSION); },
       [&](Client& c) {
         REQUIRE(c.connected);
         renegotiated = SSL_renegotiate(c.ssl) == 1 && SSL_do_handshake(c.ssl) == 1;
       });
  CHECK_FALSE(renegotiated);
}

// Sends what OpenSSL's client would, one byte of it in each record.
std::string InRecordsOfOneByte(const std::string& record) {
  std::string split;
  for (size_t i = 5; i < record.size(); ++i) split += record.substr(0, 3) + std::string("\0\1", 2) + record[i];
  return split;
}

std::string ClientHello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_tlsext_host_name(ssl, "A.Test.");
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl);
  std::string bytes(4096, '\0');
  bytes.resize(BIO_read(SSL_get_wbio(ssl), bytes.data(), static_cast<int>(bytes.size())));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return bytes;
}

TEST_CASE("a hello in records of one byte is understood") {
  RawTlsServer t;
  t.pair.peer.Send(InRecordsOfOneByte(ClientHello()));
  t.pair.peer.ShutdownWrite();
  t.Run(5s);
  CHECK(t.accepted.server_name == "a.test");
  const std::string answer = t.pair.peer.Receive();
  CHECK(answer.starts_with("\x16\x03\x03"));
}

TEST_CASE("a hello cut in two is answered once it is whole") {
  RawTlsServer t;
  const std::string hello = ClientHello();
  std::thread client([&] {
    t.pair.peer.Send(hello.substr(0, hello.size() / 2));
    t.pair.peer.Send(hello.substr(hello.size() / 2));
    CHECK(t.pair.peer.Receive().starts_with("\x16\x03\x03"));
    t.pair.peer.ShutdownWrite();
  });
  t.Run(5s);
  client.join();
}

// A handshake message of type client_hello that claims `size` bytes, in full records.
std::string HelloOfSize(size_t size) {
  std::string message = std::string("\1", 1) + char(size >> 16) + char(size >> 8) + char(size) + std::string(size, 'x');
  std::string records;
  for (size_t at = 0; at < message.size(); at += 16384) {
    const std::string piece = message.substr(at, 16384);
    records += std::string("\x16\x03\x01", 3) + char(piece.size() >> 8) + char(piece.size()) + piece;
  }
  return records;
}

TEST_CASE("a hello without end is given up at its bound") {
  RawTlsServer t;
  const std::string hello = HelloOfSize(2 * kMaxHandshakeBytes - 1024);
  std::thread client([&] {
    send(t.pair.peer.fd(), hello.data(), hello.size() - 1, MSG_NOSIGNAL);  // never whole
  });
  t.Run(60s);
  CHECK(t.accepted.stream == nullptr);
  CHECK(t.accepted.error != "timeout");
  client.join();
}

TEST_CASE("unusual names that a client asks for are told and answered with the first certificate") {
  const std::string longest(255, 'a');
  for (const std::string& sent : {std::string("under_score.test"), std::string("127.0.0.1"), longest}) {
    RawTlsServer t;
    Meet(t, sent, [](Client&) {}, [](Client& c) { CHECK(c.connected); });
    CHECK(t.accepted.server_name == sent);
  }
}

TEST_CASE("a name with a NUL inside is refused") {
  RawTlsServer t;
  std::string hello = ClientHello();
  hello[hello.find("A.Test.") + 1] = '\0';
  t.pair.peer.Send(hello);
  t.Run(5s);
  CHECK(t.accepted.error == "bad extension");
  CHECK(t.pair.peer.Receive() == std::string("\x15\x03\x03\0\2\2\x70", 7));  // fatal unrecognized_name
}

}  // namespace
}  // namespace sluice::io
