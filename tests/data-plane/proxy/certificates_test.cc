// Which certificate a node shows: the one of the gateway that owns the name, its own otherwise.

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/node.h"

using sluice::io::TestAuthority;
using sluice::io::TextOf;
using sluice::test::Node;
using sluice::test::NodeOptions;

namespace {

std::string Quoted(const std::string& path) {
  return "\"" + absl::CEscape(TextOf(path)) + "\"";
}

// One connection over TLS to 127.0.0.1.
class TlsClient {
 public:
  TlsClient(uint16_t port, const std::string& server_name, const char* signatures = nullptr) {
    if (signatures != nullptr) SSL_CTX_set1_sigalgs_list(context_, signatures);
    bio_ = BIO_new_ssl_connect(context_);
    BIO_get_ssl(bio_, &ssl_);
    if (!server_name.empty()) SSL_set_tlsext_host_name(ssl_, server_name.c_str());
    BIO_set_conn_hostname(bio_, ("127.0.0.1:" + std::to_string(port)).c_str());
    connected_ = BIO_do_connect(bio_) > 0;
  }
  ~TlsClient() {
    BIO_free_all(bio_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  // The common name of the certificate that was shown, "RSA " before it where its key is one; "" without.
  std::string Shown() const {
    X509* shown = connected_ ? SSL_get0_peer_certificate(ssl_) : nullptr;
    if (shown == nullptr) return "";
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
    const bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(shown)) == EVP_PKEY_RSA;
    return (rsa ? "RSA " : "") + std::string(name);
  }
  std::string Ask(const std::string& host) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    BIO_write(bio_, bytes.data(), static_cast<int>(bytes.size()));
    char buffer[4096];
    const int got = BIO_read(bio_, buffer, sizeof buffer);
    return got > 0 ? std::string(buffer, got) : "";
  }

 private:
  SSL_CTX* context_ = SSL_CTX_new(TLS_client_method());
  BIO* bio_ = nullptr;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
};

// A node with certificates of its own, and two gateways: a.test and also-a.test, and b.test.
struct Shop {
  TestAuthority authority;
  Node node{Options()};

  NodeOptions Options() {
    NodeOptions options;
    options.gateway = "";
    options.options.https = sluice::io::Endpoint{"127.0.0.1", 0};
    options.options.certificates = {authority.Issue("node", {.dns = {"*.test"}, .common_name = "the node's"})};
    return options;
  }
  // The text of a certificate with that common name, for those server names.
  std::string Pair(int id, const std::string& common_name, const std::vector<std::string>& snis,
                   bool with_rsa = false) {
    const std::string uuid = "0000000" + std::to_string(id) + "-0000-4000-8000-000000000000";
    const auto files = authority.Issue("pair", {.dns = {"x.test"}, .common_name = common_name});
    std::string text = "certificates { id: \"" + uuid + "\" cert: " + Quoted(files.certificate_path) +
                       " key: " + Quoted(files.key_path);
    if (with_rsa) {
      const auto rsa = authority.Issue("rsa", {.dns = {"x.test"}, .rsa_bits = 2048, .common_name = common_name});
      text += " cert_alt: " + Quoted(rsa.certificate_path) + " key_alt: " + Quoted(rsa.key_path);
    }
    text += " }";
    for (const std::string& sni : snis) text += " snis { name: \"" + sni + "\" certificate: \"" + uuid + "\" }";
    return text;
  }
  void PublishA(const std::string& more) {
    node.Publish(R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" hosts: "also-a.test" hosts: "x.y-a.test"
                    routes { paths: "/" } )" + more);
  }
  void PublishB(const std::string& more) {
    node.Publish(R"(id: "22222222-2222-4222-8222-222222222222" hosts: "b.test" routes { paths: "/" } )" + more);
  }
  std::string Shown(const std::string& server_name, const char* signatures = nullptr) {
    return TlsClient(node.group().https_port(), server_name, signatures).Shown();
  }
};

}  // namespace

TEST_CASE("a gateway shows its certificate for its names, and the node its own for all others") {
  Shop shop;
  shop.PublishA(shop.Pair(1, "A's", {"a.test", "*.y-a.test"}));
  shop.PublishB("");
  CHECK(shop.Shown("a.test") == "A's");
  CHECK(shop.Shown("A.TEST") == "A's");
  CHECK(shop.Shown("x.y-a.test") == "A's");
  for (const char* other : {"also-a.test", "b.test", "z.y-a.test", "nobody.test", "127.0.0.1", ""}) {
    CHECK(shop.Shown(other) == "the node's");
  }
}

TEST_CASE("a gateway never shows a certificate for another's name, whatever its SNIs say") {
  Shop shop;
  shop.PublishA(shop.Pair(1, "A's", {"a.test", "b.test", "nobody.test", "*"}));
  CHECK(shop.Shown("also-a.test") == "A's");
  shop.PublishB(shop.Pair(2, "B's", {"b.test"}));
  CHECK(shop.Shown("b.test") == "B's");
  CHECK(shop.Shown("nobody.test") == "the node's");
}

TEST_CASE("two gateways with more than a hundred names and one certificate each stay apart under every name") {
  constexpr int kNames = 120;
  const auto name = [](int i, const char* owner) { return "host-" + std::to_string(i) + owner; };
  std::vector<std::string> all;  // each gateway claims every name, also the other's
  for (const char* owner : {".a.test", ".b.test"}) {
    for (int i = 0; i < kNames; ++i) all.push_back(name(i, owner));
  }
  Shop shop;
  std::string hosts[2];
  for (int i = 0; i < 2 * kNames; ++i) hosts[i / kNames] += " hosts: \"" + all[i] + "\"";
  shop.PublishA(shop.Pair(1, "A's", all) + hosts[0]);
  shop.PublishB(shop.Pair(2, "B's", all) + hosts[1]);
  for (int i = 0; i < kNames; ++i) {
    CHECK(shop.Shown(name(i, ".a.test")) == "A's");
    CHECK(shop.Shown(name(i, ".b.test")) == "B's");
  }
  TlsClient client(shop.node.group().https_port(), name(0, ".a.test"));
  for (const int i : {0, 1, kNames - 1}) {
    CHECK(client.Ask(name(i, ".a.test")).starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(client.Ask(name(i, ".b.test")).starts_with("HTTP/1.1 421 "));
  }
}

TEST_CASE("of two key types a client is shown ECDSA where it can take it, and RSA otherwise") {
  Shop shop;
  shop.PublishA(shop.Pair(1, "A's", {"a.test"}, true));
  CHECK(shop.Shown("a.test") == "A's");
  CHECK(shop.Shown("a.test", "RSA-PSS+SHA256") == "RSA A's");
  CHECK(shop.Shown("a.test", "RSA-PSS+SHA256:ECDSA+SHA256") == "A's");
}

TEST_CASE("another certificate is shown from the next handshake on, and connections go on") {
  Shop shop;
  shop.PublishA(shop.Pair(1, "old", {"a.test"}));
  TlsClient before(shop.node.group().https_port(), "a.test");
  CHECK(before.Ask("a.test").starts_with("HTTP/1.1 200 OK\r\n"));
  for (int turn = 0; turn < 20; ++turn) {
    shop.PublishA(shop.Pair(1, "new " + std::to_string(turn), {"a.test"}));
    CHECK(shop.Shown("a.test") == "new " + std::to_string(turn));
    CHECK(before.Ask("a.test").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  CHECK(before.Shown() == "old");
  CHECK(shop.node.stats().tls_handshake_failures == 0);
  shop.node.Remove("11111111-1111-4111-8111-111111111111");
  CHECK(shop.Shown("a.test") == "the node's");
}
