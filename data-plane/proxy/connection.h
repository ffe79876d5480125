#pragma once

// One client's connection, from the TLS handshake to the close. Over HTTP/1.1 heads are read, exchanges are run in
// order, what remains of a body is read away or the connection ends. Where ALPN chose HTTP/2, or a plain connection
// begins with its preface, Http2Connection takes over; from the head on both run the same exchange. Owned by its own
// coroutine; its worker's thread only.

#include <memory>
#include <optional>
#include <string>

#include "data-plane/http/parser.h"
#include "data-plane/io/listener.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"
#include "data-plane/io/tls.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/client_connection.h"
#include "data-plane/proxy/connection_limits.h"
#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

class Worker;

struct Arrival {
  io::Accepted accepted;
  Admission admission;
  bool proxied = false;  // a PROXY header comes first, and names the address that is still to be admitted
  const io::TlsServer* tls = nullptr;  // null: plain
};

// Meets what was accepted, and spawns what serves it until it ends.
io::Task<void> ServeConnection(Worker& worker, Arrival arrival);

class Connection final : public ClientConnection {
 public:
  Connection(Worker& worker, std::unique_ptr<io::Stream> stream, Client client, Admission admission, bool http2);
  ~Connection() override;
  Connection(const Connection&) = delete;

  // Until it ends.
  static io::Task<void> Serve(std::unique_ptr<Connection> owned);
  // Ends it now where it waits for a request.
  void CloseIfIdle() override;

 private:
  MonotonicTime IdleUntil();
  io::Task<bool> ServeRequest();
  // Neither: the connection ended before a head, or goes on as HTTP/2.
  struct HeadRead {
    bool complete = false;
    http::ParseError refused;
  };
  std::optional<HeadRead> TakeHead(http::RequestHead& head, size_t& scanned);
  io::Task<HeadRead> ReadHead(http::RequestHead& head);
  io::Task<HeadRead> ReadRestOfHead(http::RequestHead& head, size_t scanned);
  io::Task<void> ServeHttp2();
  io::Task<void> Linger();

  Worker& worker_;
  std::unique_ptr<io::Stream> stream_;
  Reader reader_;
  Client client_;
  Admission admission_;
  const MonotonicTime opened_;
  bool idle_ = false;
  bool http2_;  // by ALPN, or because its preface came instead of a first request
};

}  // namespace sluice::proxy
