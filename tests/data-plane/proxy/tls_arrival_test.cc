// What happens to a TLS connection before its first request: a load balancer's header, a gateway without room.

#include <openssl/ssl.h>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/node.h"

using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;

namespace {

// One connection to 127.0.0.1: clear bytes first, then TLS.
class TlsClient {
 public:
  TlsClient(uint16_t port, const std::string& before, const char* server_name) {
    const std::string address = "127.0.0.1:" + std::to_string(port);
    plain_ = BIO_new_connect(address.c_str());
    if (BIO_do_connect(plain_) <= 0) return;
    if (!before.empty()) BIO_write(plain_, before.data(), static_cast<int>(before.size()));
    SSL_set_tlsext_host_name(ssl_, server_name);
    SSL_set0_rbio(ssl_, plain_);
    BIO_up_ref(plain_);
    SSL_set0_wbio(ssl_, plain_);
    SSL_connect(ssl_);
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  // The first bytes of the answer; "" where the connection has ended.
  std::string Ask(const std::string& bytes) {
    SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    char buffer[4096];
    const int got = SSL_read(ssl_, buffer, sizeof buffer);
    return got > 0 ? std::string(buffer, got) : "";
  }

 private:
  SSL_CTX* context_ = SSL_CTX_new(TLS_client_method());
  SSL* ssl_ = SSL_new(context_);
  BIO* plain_ = nullptr;
};

NodeOptions Secured(sluice::io::TestAuthority& authority) {
  NodeOptions options;
  options.options.https = sluice::io::Endpoint{"127.0.0.1", 0};
  options.options.certificates = {authority.Issue("server", {.dns = {"*.test"}, .ips = {}})};
  return options;
}

}  // namespace

TEST_CASE("a load balancer's header comes before TLS") {
  sluice::io::TestAuthority authority;
  NodeOptions options = Secured(authority);
  options.options.proxy_protocol_from = {*sluice::egress::ParseNetwork("127.0.0.1")};
  Node node(std::move(options));
  TlsClient client(node.group().https_port(), "PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n", "a.test");
  CHECK(client.Ask(kGet).starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(node.upstream().last().find("\r\nX-Real-IP: 2001:db8::7\r\n") != std::string::npos);
  TlsClient without(node.group().https_port(), "", "a.test");
  CHECK(without.Ask(kGet).empty());
  CHECK(node.stats().connections_refused_proxy_header == 1);
}

TEST_CASE("a connection counts for the gateway that TLS names, before any request") {
  sluice::io::TestAuthority authority;
  NodeOptions options = Secured(authority);
  options.options.max_connections_per_gateway = 1;
  Node node(std::move(options));
  TlsClient first(node.group().https_port(), "", "a.test");
  CHECK(first.Ask(kGet).starts_with("HTTP/1.1 200 OK\r\n"));
  TlsClient second(node.group().https_port(), "", "a.test");
  CHECK(second.Ask(kGet).empty());
  CHECK(node.stats().connections_refused_gateway == 1);
  CHECK(first.Ask(kGet).starts_with("HTTP/1.1 200 OK\r\n"));
}
