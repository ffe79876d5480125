// What TLS costs: writes of the stream below, memory of an idle connection, memory of a name's certificate.

#include <malloc.h>

#include <iostream>

#include "data-plane/io/tls_stream.h"
#include "tests/data-plane/io/tls_fixture.h"

namespace sluice::io {
namespace {

// A plain stream in memory, which takes no more than it is told to. Nobody waits for it.
class MemoryStream final : public Stream {
 public:
  explicit MemoryStream(Loop& loop) : loop_(loop) {}
  IoResult TryRead(std::span<char> out) override {
    if (in.empty()) return {0, IoError::kWouldBlock};
    const size_t bytes = in.copy(out.data(), out.size());
    in.erase(0, bytes);
    return {bytes, IoError::kNone};
  }
  IoResult TryWrite(std::string_view data) override {
    if (room == 0) return {0, IoError::kWouldBlock};
    ++writes;
    const std::string_view taken = data.substr(0, room);
    out.append(taken);
    room -= taken.size();
    return {taken.size(), IoError::kNone};
  }
  void ShutdownWrite() override {}
  void ResetOnClose() override {}
  Loop& loop() override { return loop_; }
  bool IsStale() override { return false; }
  std::string in;
  std::string out;
  int writes = 0;
  size_t room = SIZE_MAX;

 protected:
  bool IsReadable() const override { return !in.empty(); }
  bool IsWritable() const override { return room > 0; }

 private:
  Loop& loop_;
};

// A TLS stream over memory, and OpenSSL itself as its peer.
struct InMemory {
  InMemory() {
    const CertificateFiles files = authority.Issue("a", {.dns = {"a.test"}});
    SSL_CTX_use_certificate_chain_file(context, files.certificate_path.c_str());
    SSL_CTX_use_PrivateKey_file(context, files.key_path.c_str(), SSL_FILETYPE_PEM);
    peer = SSL_new(context);
    SSL_set_bio(peer, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(peer);
    auto plain = std::make_unique<MemoryStream>(loop);
    below = plain.get();
    stream = std::make_unique<TlsStream>(std::move(plain), client.get());
    SSL_set_verify(stream->ssl(), SSL_VERIFY_NONE, nullptr);
    SSL_set_connect_state(stream->ssl());
    bool wants_write = false;
    while (stream->StepHandshake(wants_write) == IoError::kWouldBlock) Turn();
    Turn();
    below->writes = 0;
  }
  ~InMemory() {
    SSL_free(peer);
    SSL_CTX_free(context);
  }
  // Carries bytes to the peer and back.
  void Turn() {
    BIO_write(SSL_get_rbio(peer), below->out.data(), static_cast<int>(below->out.size()));
    below->out.clear();
    char bytes[16384];
    for (int got; (got = SSL_read(peer, bytes, sizeof bytes)) > 0;) received.append(bytes, got);
    for (int got; (got = BIO_read(SSL_get_wbio(peer), bytes, sizeof bytes)) > 0;) below->in.append(bytes, got);
  }
  TestAuthority authority;
  Loop loop;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL* peer = nullptr;
  TlsContext client = *MakeClientContext();
  MemoryStream* below = nullptr;
  std::unique_ptr<TlsStream> stream;
  std::string received;
};

TEST_CASE("a small message is one write of the stream below, and so are 64 KiB with what frames them") {
  InMemory t;
  CHECK(t.stream->TryWrite("HTTP/1.1 200 OK\r\n\r\n").bytes == 19);
  CHECK(t.below->writes == 1);
  CHECK(t.stream->TryWrite(std::string(64 * 1024 + 64, 'x')).bytes == 64 * 1024 + 64);
  CHECK(t.below->writes == 2);
  t.Turn();
  CHECK(t.received.size() == 19 + 64 * 1024 + 64);
}

TEST_CASE("no more than the bound is sealed before some of it leaves") {
  InMemory t;
  t.below->room = 0;
  CHECK(t.stream->TryWrite(std::string(1024 * 1024, 'x')).error == IoError::kWouldBlock);
  t.below->room = SIZE_MAX;
  CHECK(t.stream->TryWrite(std::string(1024 * 1024, 'x')).bytes == 1024 * 1024);
  CHECK(t.below->out.size() > 1024 * 1024);
  CHECK(t.below->writes <= 14);
}

TEST_CASE("what the stream below does not take is not told as written, and comes later, once and in order") {
  std::string sent(200'000, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 5);
  InMemory t;
  size_t told = 0;
  for (int attempts = 0; told < sent.size() && attempts < 1000; ++attempts) {
    t.below->room = 10'000;
    const IoResult result = t.stream->TryWrite(std::string_view(sent).substr(told));
    CHECK((result.ok() || result.error == IoError::kWouldBlock));
    told += result.bytes;
    t.Turn();
  }
  CHECK(told == sent.size());
  CHECK(t.received == sent);
}

TEST_CASE("one read brings as many records as are here and fit") {
  InMemory t;
  for (int i = 0; i < 100; ++i) SSL_write(t.peer, "0123456789", 10);
  t.Turn();
  std::string bytes(4096, '\0');
  CHECK(t.stream->TryRead(bytes).bytes == 1000);
  CHECK(t.stream->TryRead(bytes).error == IoError::kWouldBlock);
}

// Bytes of the heap that are in use. 0 under a sanitizer, which has an allocator of its own.
size_t InUse() {
  const struct mallinfo2 now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

TEST_CASE("an idle TLS connection holds at most 16 KiB of each end's memory") {
  constexpr size_t kConnections = 20;
  TlsFixture t;
  t.HandshakeAndRead("a.test");
  std::vector<std::unique_ptr<Stream>> servers, clients;
  servers.reserve(kConnections + 1);
  clients.reserve(kConnections + 1);
  const size_t before = InUse();
  for (size_t i = 0; i < kConnections; ++i) {
    t.HandshakeAndRead("a.test");
    servers.push_back(std::move(t.accepted.stream));
    clients.push_back(std::move(t.connected.stream));
  }
  const size_t both = InUse() - before;
  clients.clear();
  const size_t server = (InUse() - before) / kConnections;
  std::cout << "an idle TLS connection: " << server << " bytes as a server, " << both / kConnections - server
            << " as a client\n";
  CHECK(server <= 16 * 1024);
}

TEST_CASE("the certificates of 5,000 names hold at most 30 KiB each, and the last one is found like the first") {
  constexpr int kNames = 5000;
  TestAuthority authority;
  const CertificateFiles files = authority.Issue("a", {.dns = {"a.test"}, .through_intermediate = true});
  CertificateTable table;
  const auto name = [](int i) { return "host-" + std::to_string(i) + ".gateways.test"; };
  const size_t before = InUse();
  for (int i = 0; i < kNames; ++i) table.Add(name(i), *Certificate::Load(files));
  const size_t each = (InUse() - before) / kNames;
  std::cout << "a name with a certificate of its own and one of a chain: " << each << " bytes\n";
  CHECK(each <= 30 * 1024);
  CHECK(table.Find(name(0)).size() == 1);
  CHECK(table.Find(name(kNames - 1)).size() == 1);
  CHECK(table.Find(name(kNames)).empty());
}

}  // namespace
}  // namespace sluice::io
