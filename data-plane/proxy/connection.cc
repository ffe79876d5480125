#include "data-plane/proxy/connection.h"

#include "data-plane/io/proxy_header.h"
#include "data-plane/proxy/client_address.h"
#include "data-plane/proxy/exchange.h"
#include "data-plane/proxy/http1_downstream.h"
#include "data-plane/proxy/http2_connection.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

// The header by which a load balancer names its client, before anything else. False where the connection is to end.
io::Task<bool> MeetProxied(Worker& worker, io::Stream& stream, Admission& admission, Client& client) {
  io::ProxyHeader header;
  const bool read = co_await io::ReadProxyHeader(stream, worker.loop().Now() + worker.times().head_read, header);
  if (!read) {
    ++worker.stats().connections_refused_proxy_header;
    co_return false;
  }
  if (header.has_addresses) {
    client.ip = std::move(header.source.address);
    client.port = header.source.port;
    client.local_port = header.destination.port;
  }
  const bool admitted = admission.EnterAddress(client.ip);
  if (!admitted) ++worker.stats().connections_refused_address;
  co_return admitted;
}

// Null where the handshake failed or the gateway that the client named has no room.
io::Task<std::unique_ptr<io::Stream>> MeetTls(Worker& worker, std::unique_ptr<io::Stream> plain, Arrival& arrival,
                                              Client& client, bool& http2) {
  const MonotonicTime deadline = worker.loop().Now() + worker.times().tls_handshake;
  io::TlsAccepted secured = co_await io::AcceptTls(std::move(plain), *arrival.tls, worker.hosts(), deadline);
  if (secured.stream == nullptr) {
    ++worker.stats().tls_handshake_failures;
    co_return nullptr;
  }
  ++worker.stats().tls_handshakes;
  client.tls = true;
  client.sni = std::move(secured.server_name);
  http2 = secured.alpn == "h2";
  const std::shared_ptr<const Gateway> gateway = worker.hosts().Find(client.sni);
  if (gateway != nullptr && !arrival.admission.EnterGateway(*gateway)) {
    ++worker.stats().connections_refused_gateway;
    co_return nullptr;
  }
  co_return std::move(secured.stream);
}

}  // namespace

// What the beginning needs goes with this frame.
io::Task<void> ServeConnection(Worker& worker, Arrival arrival) {
  std::unique_ptr<io::Stream> stream = io::MakeTcpStream(worker.loop(), arrival.accepted.fd);
  Client client;
  client.ip = std::move(arrival.accepted.peer.address);
  client.port = arrival.accepted.peer.port;
  client.local_port = arrival.accepted.local.port;
  client.connection = worker.NextConnection();
  if (arrival.proxied) {
    const bool met = co_await MeetProxied(worker, *stream, arrival.admission, client);
    if (!met) co_return;
  }
  client.peer_trusted = IsWithin(worker.options().trusted_proxies, client.ip);
  bool http2 = false;
  if (arrival.tls != nullptr) {
    stream = co_await MeetTls(worker, std::move(stream), arrival, client, http2);
    if (stream == nullptr) co_return;
  }
  worker.loop().Spawn(Connection::Serve(std::make_unique<Connection>(worker, std::move(stream), std::move(client),
                                                                     std::move(arrival.admission), http2)));
}

Connection::Connection(Worker& worker, std::unique_ptr<io::Stream> stream, Client client, Admission admission,
                       bool http2)
    : worker_(worker),
      stream_(std::move(stream)),
      reader_(*stream_, worker.scratch()),
      client_(std::move(client)),
      admission_(std::move(admission)),
      opened_(worker.loop().Now()),
      http2_(http2) {
  worker_.Enter(this);
}

Connection::~Connection() {
  worker_.Leave(this);
}

void Connection::CloseIfIdle() {
  if (idle_) stream_->Cancel();
}

// The frame of an idle connection, which is why it holds little: what a request needs is in ServeRequest's.
io::Task<void> Connection::Serve(std::unique_ptr<Connection> owned) {
  Connection& self = *owned;
  for (bool again = !self.http2_; again;) {
    if (self.reader_.pending().empty()) {
      if (self.worker_.draining() && self.client_.requests_on_connection > 0) co_return;
      self.idle_ = true;
      const io::IoError error = co_await self.reader_.Fill(self.IdleUntil());
      self.idle_ = false;
      if (error == io::IoError::kTimeout) ++self.worker_.stats().connections_ended_idle;
      if (error != io::IoError::kNone) co_return;
    }
    again = co_await self.ServeRequest();
  }
  if (self.http2_) co_await self.ServeHttp2();
  if (!self.stream_->cancelled()) co_await self.Linger();
}

// In a frame of its own, because it holds much more.
io::Task<void> Connection::ServeHttp2() {
  worker_.Leave(this);
  client_.requests_on_connection = 0;
  Http2Connection connection(worker_, *stream_, reader_, client_, admission_);
  co_await connection.Serve();
}

MonotonicTime Connection::IdleUntil() {
  const double part = 1.0 - worker_.Jitter() / 10;
  return worker_.loop().Now() + std::chrono::duration_cast<Duration>(worker_.times().keep_alive_idle * part);
}

// What is pending, as a head. nullopt while it is incomplete.
std::optional<Connection::HeadRead> Connection::TakeHead(http::RequestHead& head, size_t& scanned) {
  const std::string_view pending = reader_.pending();
  const size_t end = http::FindHeadEnd(pending, scanned);
  if (end == 0) {
    const http::ParseError wrong = http::CheckIncompleteHead(pending);
    if (wrong) return HeadRead{.refused = wrong};
    return std::nullopt;
  }
  const bool first = client_.requests_on_connection == 1 && !client_.tls;
  http2_ = first && pending.substr(0, end) == http::kHttp2PrefaceHead;
  if (http2_) return HeadRead{};
  const http::ParseError wrong = http::ParseRequestHead(pending.substr(0, end), head);
  reader_.Consume(end);
  if (first && wrong.reason == http::kForeignProtocol) {
    ++worker_.stats().rejected[std::string(wrong.reason)];
    return HeadRead{};
  }
  return HeadRead{.complete = !wrong, .refused = wrong};
}

io::Task<Connection::HeadRead> Connection::ReadHead(http::RequestHead& head) {
  size_t scanned = 0;
  if (std::optional<HeadRead> read = TakeHead(head, scanned)) return *read;
  return ReadRestOfHead(head, scanned);
}

io::Task<Connection::HeadRead> Connection::ReadRestOfHead(http::RequestHead& head, size_t scanned) {
  const MonotonicTime deadline = worker_.loop().Now() + worker_.times().head_read;
  std::optional<HeadRead> read;
  while (!read.has_value()) {
    const io::IoError error = co_await reader_.Fill(deadline);
    if (error == io::IoError::kTimeout) co_return HeadRead{.refused = {408, "head-time"}};
    if (error != io::IoError::kNone) co_return HeadRead{};
    read = TakeHead(head, scanned);
  }
  co_return *read;
}

io::Task<bool> Connection::ServeRequest() {
  ++client_.requests_on_connection;
  const bool last = client_.requests_on_connection >= worker_.max_requests_per_connection();
  const bool old = worker_.loop().Now() - opened_ >= worker_.times().connection_age;
  const uint64_t received_before = reader_.received() - reader_.pending().size();
  http::RequestHead head;
  const HeadRead read = co_await ReadHead(head);
  if (!read.complete && !read.refused) co_return false;
  worker_.stats().connections_ended_requests += last ? 1 : 0;
  worker_.stats().connections_ended_age += old && !last ? 1 : 0;
  Http1Downstream downstream(worker_, *stream_, reader_, !last && !old, received_before);
  ProxyExchange exchange(worker_, downstream, admission_);
  exchange.client = client_;
  if (!read.complete) {
    co_await exchange.Refuse(read.refused.status, read.refused.reason);
    co_return false;
  }
  downstream.Begin(head);
  exchange.request = std::move(head);
  co_await exchange.Run();
  const bool again = co_await downstream.Finish();
  co_return again;
}

// The client may still be sending; a reset in answer to that could overtake the response. So: FIN first, read away
// for a while, then close.
io::Task<void> Connection::Linger() {
  stream_->ShutdownWrite();
  const MonotonicTime deadline = worker_.loop().Now() + worker_.times().linger;
  const uint64_t limit = reader_.received() + kMaxLingerBytes;
  for (;;) {
    reader_.Consume(reader_.pending().size());
    if (reader_.received() > limit) co_return;
    const io::IoError error = co_await reader_.Fill(deadline);
    if (error != io::IoError::kNone) co_return;
  }
}

}  // namespace sluice::proxy
