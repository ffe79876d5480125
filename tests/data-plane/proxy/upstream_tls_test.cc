// Services over TLS: whom the gateway trusts, what it is called there, and what a client learns where it does not.

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "common/schema/text.h"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/http2.h"
#include "tests/support/node.h"

using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::WireResponse;
namespace h2 = sluice::test::h2;

namespace {

// Shakes hands on one connection after another, answers one request on each, and keeps the name it was called by.
class TlsUpstream {
 public:
  // `http2`: chosen where the client offers it; then one request a connection is answered in literal frames.
  explicit TlsUpstream(const sluice::io::CertificateFiles& files, bool http2 = false)
      : context_(SSL_CTX_new(TLS_server_method())) {
    if (http2) SSL_CTX_set_alpn_select_cb(context_, &TlsUpstream::Choose, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    REQUIRE(SSL_CTX_use_certificate_chain_file(context_, files.certificate_path.c_str()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context_, files.key_path.c_str(), SSL_FILETYPE_PEM) == 1);
    // Asks for a client certificate, does without, and believes any.
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>("test"), 4);
    listener_ = BIO_new_accept("127.0.0.1:0");
    REQUIRE(BIO_do_accept(listener_) == 1);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsUpstream() {
    shutdown(static_cast<int>(BIO_get_fd(listener_, nullptr)), SHUT_RDWR);
    thread_.join();
    BIO_free_all(listener_);
    SSL_CTX_free(context_);
  }
  std::string port() const { return BIO_get_accept_port(listener_); }
  std::string server_name() { return Read(server_name_); }
  std::string request() { return Read(request_); }
  std::string client() { return Read(client_); }  // the common name of its certificate
  int resumed() {
    std::lock_guard lock(mutex_);
    return resumed_;
  }

 private:
  std::string Read(const std::string& member) {
    std::lock_guard lock(mutex_);
    return member;
  }
  void Serve() {
    while (BIO_do_accept(listener_) == 1) {
      SSL* ssl = SSL_new(context_);
      BIO* bio = BIO_pop(listener_);
      SSL_set_bio(ssl, bio, bio);
      char bytes[4096];
      const int got = SSL_accept(ssl) == 1 ? SSL_read(ssl, bytes, sizeof bytes) : 0;
      if (got > 0) Answer(ssl, std::string(bytes, got));
      SSL_free(ssl);
    }
  }
  void Answer(SSL* ssl, std::string request) {
    {
      std::lock_guard lock(mutex_);
      const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
      server_name_ = name != nullptr ? name : "";
      request_ = std::move(request);
      resumed_ += SSL_session_reused(ssl);
      char common_name[256] = "";
      X509* shown = SSL_get0_peer_certificate(ssl);
      if (shown != nullptr) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, common_name, sizeof common_name);
      }
      client_ = common_name;
    }
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &size);
    if (size == 2) {
      const std::string frames = h2::Frame(h2::kSettings, 0, 0) + h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, "\x88") +
                                 h2::Frame(h2::kData, h2::kEndStream, 1, "secret");
      SSL_write(ssl, frames.data(), static_cast<int>(frames.size()));
      SSL_shutdown(ssl);
      return;
    }
    const std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";
    SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(ssl);
  }

  static int Choose(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned size, void*) {
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_size, kHttp2, sizeof kHttp2, offered, size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
  }

  SSL_CTX* context_;
  BIO* listener_;
  std::mutex mutex_;
  std::string server_name_;
  std::string request_;
  std::string client_;
  int resumed_ = 0;
  std::thread thread_;
};

// A node with a TLS upstream whose certificate is for good.localhost. `trusted`: its authority is one of the system's.
struct Secured {
  explicit Secured(const std::string& service, bool trusted = false, bool http2 = false)
      : upstream(authority.Issue("upstream", {.dns = {"good.localhost"}, .ips = {}}), http2),
        node(Options(service, trusted)) {
    unsetenv("SSL_CERT_FILE");
  }
  NodeOptions Options(const std::string& service, bool trusted) {
    if (trusted) setenv("SSL_CERT_FILE", authority.ca_path().c_str(), 1);
    NodeOptions options{.gateway = Gateway(service)};
    options.options.times.check_second = std::chrono::milliseconds(50);
    return options;
  }
  std::string Gateway(const std::string& service, const std::string& host = "a.test") {
    const std::string id = host == "a.test" ? "1" : "2";
    std::string text = "id: \"";
    text.append(id).append(R"(1111111-1111-4111-8111-111111111111" hosts: ")").append(host);
    text.append(R"(" routes { paths: "/" } plan { egress_allow: "127.0.0.1:)").append(upstream.port());
    text.append(R"(" } services { name: "s" port: )").append(upstream.port()).append(" ");
    if (service.find("protocol") == std::string::npos) text.append(R"(protocol: "https" )");
    return text.append(service).append(" }");
  }
  uint64_t refused() { return node.stats().dials[static_cast<size_t>(sluice::proxy::DialError::kTls)]; }

  sluice::io::TestAuthority authority;
  TlsUpstream upstream;
  Node node;
};

}  // namespace

TEST_CASE("a service over TLS that is not verified is served, and called by its host") {
  Secured secured(R"(host: "other.localhost" tls_verify: false)");
  WireResponse response = secured.node.Ask(kGet);
  CHECK(response.status == 200);
  CHECK(response.body == "secret");
  CHECK(secured.upstream.server_name() == "other.localhost");
  CHECK(secured.upstream.request().find("\r\nHost: other.localhost:" + secured.upstream.port() + "\r\n") !=
        std::string::npos);
}

TEST_CASE("a service over TLS that chooses HTTP/2 is spoken to by it") {
  Secured secured(R"(host: "good.localhost" tls_verify: false)", false, true);
  WireResponse response = secured.node.Ask(kGet);
  CHECK(response.body == "secret");
  CHECK(response.fields["via"] == "2 sluice");
  CHECK(secured.upstream.request().starts_with("PRI * HTTP/2.0"));
}

TEST_CASE("a websocket asks a service over TLS for HTTP/1.1, whatever it could speak") {
  Secured secured(R"(host: "good.localhost" tls_verify: false)", false, true);
  secured.node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK(secured.upstream.request().starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("a service of grpcs that does not choose HTTP/2 is a 502") {
  Secured secured(R"(host: "good.localhost" tls_verify: false protocol: "grpcs" retries: 0)");
  CHECK(secured.node.Ask(kGet).status == 502);
  CHECK(secured.refused() == 1);
}

TEST_CASE("the name in TLS stays the service's host where the client's Host is preserved") {
  Secured secured(R"(host: "good.localhost" tls_verify: false } routes { paths: "/kept" preserve_host: true)");
  CHECK(secured.node.Ask("GET /kept HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 200);
  CHECK(secured.upstream.server_name() == "good.localhost");
  CHECK(secured.upstream.request().find("\r\nHost: a.test\r\n") != std::string::npos);
}

TEST_CASE("a service over TLS by address is not called by a name") {
  Secured secured(R"(host: "127.0.0.1" tls_verify: false)");
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.server_name().empty());
}

TEST_CASE("a service whose authority and name are right is verified and served") {
  Secured secured(R"(host: "good.localhost")", true);
  CHECK(secured.node.Ask(kGet).body == "secret");
}

TEST_CASE("a service of an unknown authority is a 502 that says nothing of the reason") {
  Secured secured(R"(host: "good.localhost" retries: 0)");
  WireResponse response = secured.node.Ask(kGet);
  CHECK(response.status == 502);
  CHECK(response.body == "{\n  \"message\":\"An invalid response was received from the upstream server\",\n"
                         "  \"request_id\":\"" + response.fields["x-kong-request-id"] + "\"\n}");
  CHECK(secured.upstream.request().empty());
  CHECK(secured.refused() == 1);
}

TEST_CASE("a service with another's certificate is a 502 and gets no request") {
  Secured secured(R"(host: "other.localhost" retries: 0)", true);
  CHECK(secured.node.Ask(kGet).status == 502);
  CHECK(secured.upstream.request().empty());
  CHECK(secured.refused() == 1);
}

TEST_CASE("a service over TLS that speaks plain text is a 502") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" } services {
                             name: "s" protocol: "https" host: "127.0.0.1" port: UPSTREAM_PORT tls_verify: false })",
             .upstream = [](auto&, auto& peer) { peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n"); }});
  CHECK(node.Ask(kGet).status == 502);
}

namespace {

constexpr const char* kFirst = "00000001-0000-4000-8000-000000000000";
constexpr const char* kSecond = "00000002-0000-4000-8000-000000000000";

std::string Quoted(const std::string& path) {
  return "\"" + absl::CEscape(sluice::io::TextOf(path)) + "\"";
}

std::string ClientCertificate(sluice::io::TestAuthority& authority, const char* id, const std::string& common_name) {
  const auto files = authority.Issue(common_name, {.usage = "clientAuth", .common_name = common_name});
  return sluice::schema::Cat("certificates { id: \"", id, "\" cert: ", Quoted(files.certificate_path),
                             " key: ", Quoted(files.key_path), " } ");
}

std::string Authority(const sluice::io::TestAuthority& authority) {
  return sluice::schema::Cat("ca_certificates { id: \"", kFirst, "\" cert: ", Quoted(authority.ca_path()), " } ");
}

}  // namespace

TEST_CASE("a service is shown its client certificate, or its upstream's where it has none of its own") {
  Secured secured(R"(host: "good.localhost" tls_verify: false)");
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.client().empty());
  const std::string both = ClientCertificate(secured.authority, kFirst, "service's") +
                           ClientCertificate(secured.authority, kSecond, "upstream's") +
                           R"( upstreams { name: "up" client_certificate: ")" + kSecond +
                           R"(" } targets { upstream: "up" target: "127.0.0.1:)" + secured.upstream.port() + R"(" })";
  secured.node.Publish(both + secured.Gateway(R"(host: "up" tls_verify: false)"));
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.client() == "upstream's");
  const std::string own = sluice::schema::Cat(R"(host: "up" tls_verify: false client_certificate: ")", kFirst, "\"");
  secured.node.Publish(both + secured.Gateway(own));
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.client() == "service's");
}

TEST_CASE("a service of a private authority is verified against that one alone") {
  Secured secured(R"(host: "good.localhost" retries: 0)");
  sluice::io::TestAuthority other;
  const std::string service =
      sluice::schema::Cat(R"(host: "good.localhost" retries: 0 tls_verify: true ca_certificates: ")", kFirst, "\"");
  CHECK(secured.node.Ask(kGet).status == 502);
  secured.node.Publish(Authority(secured.authority) + secured.Gateway(service));
  CHECK(secured.node.Ask(kGet).body == "secret");
  secured.node.Publish(Authority(other) + secured.Gateway(service));
  CHECK(secured.node.Ask(kGet).status == 502);
}

TEST_CASE("a session with a service is resumed by the same gateway and rules, and by no others") {
  Secured secured(R"(host: "good.localhost" tls_verify: false)");
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.resumed() == 0);
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.resumed() == 1);
  secured.node.Publish(secured.Gateway(R"(host: "good.localhost" tls_verify: false)", "b.test"));
  CHECK(secured.node.Ask("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").status == 200);
  CHECK(secured.upstream.resumed() == 1);
  secured.node.Publish(secured.Gateway(R"(host: "good.localhost" tls_verify: false tls_verify_depth: 3)"));
  CHECK(secured.node.Ask(kGet).status == 200);
  secured.node.Publish(secured.Gateway(R"(host: "other.localhost" tls_verify: false)"));
  CHECK(secured.node.Ask(kGet).status == 200);
  CHECK(secured.upstream.resumed() == 1);
}

TEST_CASE("health checks trust the authority and show the certificate that requests do") {
  Secured secured(R"(host: "good.localhost")");
  const std::string upstream =
      ClientCertificate(secured.authority, kFirst, "service's") + Authority(secured.authority) +
      R"( targets { upstream: "up" target: "good.localhost:)" + secured.upstream.port() +
      R"(" } upstreams { name: "up" healthchecks { active { type: "https" http_path: "/checked" timeout: 5
          healthy { interval: 1 successes: 1 http_statuses: 200 } unhealthy { interval: 1 tcp_failures: 1 } } } } )";
  secured.node.Publish(upstream + secured.Gateway(R"(host: "up")"));
  CHECK(Eventually([&] { return secured.node.stats().checks_failed > 0; }));  // nobody the node knows vouches for it
  CHECK(secured.upstream.request().empty());
  const std::string own =
      sluice::schema::Cat(R"(host: "up" ca_certificates: ")", kFirst, R"(" client_certificate: ")", kFirst, "\"");
  secured.node.Publish(upstream + secured.Gateway(own));
  CHECK(Eventually([&] { return secured.node.stats().checks_passed > 0; }));
  CHECK(secured.upstream.request().starts_with("GET /checked HTTP/1.1\r\n"));
  CHECK(secured.upstream.client() == "service's");
}
