#pragma once

// Both ends of TLS connections on one loop, and a TLS server whose client is a plain socket. Test thread only.

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/certificates.h"
#include "tests/data-plane/io/support.h"

namespace sluice::io {

// Who answers to which names, as a test says.
class Owners final : public CertificateSource {
 public:
  struct Owner {
    std::string id;
    Certificates certificates;
  };
  ServerIdentity Identify(std::string_view server_name) const override {
    const auto found = by_name.find(std::string(server_name));
    if (found == by_name.end()) return {};
    return {.owner = found->second.id, .certificates = found->second.certificates};
  }
  std::map<std::string, Owner> by_name;
};

class MovableClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return {}; }
  MonotonicTime now{};
};

inline Task<void> JustWait(Event& event) { co_await event.Wait(); }

inline Task<void> ReadAllOf(Stream& stream, std::string& out, IoError& end) {
  char bytes[4096];
  for (;;) {
    const IoResult result = co_await ReadSome(stream, bytes, stream.loop().Now() + std::chrono::seconds(5));
    out.append(bytes, result.bytes);
    end = result.error;
    if (!result.ok()) co_return;
  }
}

inline Task<void> WriteThenShutdown(Stream& stream, std::string_view data) {
  const IoResult result = co_await WriteAll(stream, data, std::chrono::seconds(5));
  SLUICE_CHECK(result.ok());
  stream.ShutdownWrite();
}

struct TlsFixture {
  TestAuthority authority;
  Loop loop;
  Event accepted_event{loop};
  MovableClock clock;
  Owners owners;
  std::unique_ptr<TlsServer> server;
  TlsContext client = *MakeClientContext();
  TlsAccepted accepted;
  TlsConnected connected;
  TlsRules rules;
  std::shared_ptr<TlsSession> session;
  std::string_view alpn = kAlpnHttp1;

  explicit TlsFixture(const TestAuthority::Options& options = {.dns = {"a.test"}, .ips = {"127.0.0.1"}}) {
    Serve({authority.Issue("a", options)});
    REQUIRE(SSL_CTX_load_verify_locations(client.get(), authority.ca_path().c_str(), nullptr) == 1);
  }
  void Serve(const std::vector<CertificateFiles>& files) {
    auto made = TlsServer::Make(files, clock);
    REQUIRE(made.ok());
    server = std::move(*made);
  }
  void Handshake(const std::string& name) {
    connected = {};
    accepted = {};
    Pair pair(loop);
    const int fd = dup(pair.peer.fd());
    Pair::SetNonBlocking(fd);
    pair.peer.Close();
    accepted_event.Reset();
    loop.Spawn(Accept(std::move(pair.stream)));
    RunTask(loop, Connect(MakeTcpStream(loop, fd), name));
  }
  // A handshake, and one byte from the server: what it sends for resuming comes before that.
  void HandshakeAndRead(const std::string& name) {
    Handshake(name);
    REQUIRE(connected.stream != nullptr);
    REQUIRE(accepted.stream->TryWrite("x").ok());
    RunTask(loop, ReadOne());
  }
  // Lets the server's side end after the client's has failed.
  void AwaitServer() { RunTask(loop, JustWait(accepted_event)); }

 private:
  Task<void> Accept(std::unique_ptr<Stream> plain) {
    accepted = co_await AcceptTls(std::move(plain), *server, owners, loop.Now() + std::chrono::seconds(5));
    accepted_event.Set();
  }
  Task<void> Connect(std::unique_ptr<Stream> plain, std::string name) {
    const MonotonicTime deadline = loop.Now() + std::chrono::seconds(5);
    auto own_rules = std::make_shared<TlsRules>(rules);
    TlsRequest request{.server_name = name, .rules = own_rules, .session = session, .alpn = alpn};
    connected = co_await ConnectTls(std::move(plain), client.get(), std::move(request), deadline);
    if (connected.stream == nullptr) co_return;
    co_await accepted_event.Wait();
  }
  Task<void> ReadOne() {
    char byte;
    const IoResult result = co_await ReadSome(*connected.stream, {&byte, 1}, loop.Now() + std::chrono::seconds(5));
    SLUICE_CHECK(result.ok());
  }
};

// A server whose peer is a blocking socket, to say what our own client never would.
struct RawTlsServer {
  TestAuthority authority;
  Loop loop;
  SystemClock clock;
  std::unique_ptr<TlsServer> server = *TlsServer::Make({authority.Issue("a", {.dns = {"a.test"}})}, clock);
  Owners nobody;
  Pair pair{loop};
  TlsAccepted accepted;
  void Run(Duration limit) { RunTask(loop, AcceptWithin(limit)); }
  Task<void> AcceptWithin(Duration limit) {
    accepted = co_await AcceptTls(std::move(pair.stream), *server, nobody, loop.Now() + limit);
  }
};

}  // namespace sluice::io
