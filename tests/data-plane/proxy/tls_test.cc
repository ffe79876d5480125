// HTTPS: handshake, names, and what services learn of it.

#include <openssl/ssl.h>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/http2_client.h"
#include "tests/support/node.h"

using sluice::test::Node;
using sluice::test::NodeOptions;

namespace {

// Sends over TLS to 127.0.0.1 and reads until the other side closes.
std::string AskTls(uint16_t port, const std::string& server_name, const std::string& bytes) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  BIO* bio = BIO_new_ssl_connect(context);
  SSL* ssl = nullptr;
  BIO_get_ssl(bio, &ssl);
  if (!server_name.empty()) SSL_set_tlsext_host_name(ssl, server_name.c_str());
  BIO_set_conn_hostname(bio, ("127.0.0.1:" + std::to_string(port)).c_str());
  std::string answer;
  if (BIO_do_connect(bio) > 0) {
    BIO_write(bio, bytes.data(), static_cast<int>(bytes.size()));
    char buffer[4096];
    for (int got; (got = BIO_read(bio, buffer, sizeof buffer)) > 0;) answer.append(buffer, got);
  }
  BIO_free_all(bio);
  SSL_CTX_free(context);
  return answer;
}

struct TlsNode {
  sluice::io::TestAuthority authority;
  NodeOptions Options() {
    NodeOptions options;
    options.more_gateways = {R"(id: "22222222-2222-4222-8222-222222222222" hosts: "b.test" routes { paths: "/" })"};
    options.gateway = R"(hosts: "a.test" hosts: "also-a.test" routes { paths: "/" })";
    options.options.https = sluice::io::Endpoint{"127.0.0.1", 0};
    options.options.certificates = {authority.Issue("server", {.dns = {"*.test"}, .ips = {}})};
    return options;
  }
  Node node{Options()};
  std::string Ask(const std::string& server_name, const std::string& host) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    return AskTls(node.group().https_port(), server_name, bytes);
  }
};

}  // namespace

TEST_CASE("a request over TLS is served and the service learns of it") {
  TlsNode tls;
  CHECK(tls.Ask("a.test", "a.test").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(tls.node.upstream().last().find("\r\nX-Forwarded-Proto: https\r\n") != std::string::npos);
}

TEST_CASE("a name of TLS and a Host of different gateways are a 421") {
  TlsNode tls;
  CHECK(tls.Ask("a.test", "b.test").starts_with("HTTP/1.1 421 "));
  CHECK(tls.Ask("nobody.test", "b.test").starts_with("HTTP/1.1 421 "));
  CHECK(tls.Ask("a.test", "nobody.test").starts_with("HTTP/1.1 421 "));
  CHECK(tls.node.upstream().requests() == 0);
  CHECK(tls.node.stats().rejected["misdirected"] == 3);
}

TEST_CASE("a stream for another gateway than TLS named is a 421, and its connection serves on") {
  using namespace sluice::test::h2;
  TlsNode tls;
  sluice::test::Http2Client client(tls.node.group().https_port(), kPreface, "a.test");
  client.Send(Get(1) + Frame(kHeaders, kEndStream | kEndHeaders, 3, "\x82\x87\x84" + Field(":authority", "b.test")));
  CHECK(client.Read(1).status == "200");
  CHECK(client.Read(3).status == "421");
  client.Send(Get(5));
  CHECK(client.Read(5).status == "200");
  CHECK(tls.node.upstream().requests() == 2);
  CHECK(tls.node.stats().rejected["misdirected"] == 1);
}

TEST_CASE("a name of TLS and a Host of the same gateway are served, and so is no name") {
  TlsNode tls;
  CHECK(tls.Ask("a.test", "also-a.test").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(tls.Ask("A.TEST.", "ALSO-A.test.:443").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(tls.Ask("", "b.test").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("what is no handshake is counted and closed") {
  TlsNode tls;
  sluice::test::WireClient client(tls.node.group().https_port());
  client.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Closed());
  CHECK(tls.node.stats().tls_handshake_failures == 1);
}
