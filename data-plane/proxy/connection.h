#pragma once

// One client's connection over HTTP/1.1, from the TLS handshake to the close: heads are read, exchanges are run in
// order, what remains of a body is read away or the connection ends. HTTP/2 gets a server of its own where ALPN chose
// it; from the head on both run the same exchange. Owned by its own coroutine; its worker's thread only.

#include <memory>
#include <string>

#include "data-plane/io/listener.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"
#include "data-plane/io/tls.h"
#include "data-plane/plugin/exchange.h"
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

// Serves what was accepted until it ends.
io::Task<void> ServeConnection(Worker& worker, Arrival arrival);

class Connection {
 public:
  Connection(Worker& worker, std::unique_ptr<io::Stream> stream, Client client, Admission& admission);
  ~Connection();
  Connection(const Connection&) = delete;

  io::Task<void> Serve();
  // Ends it now where it waits for a request.
  void CloseIfIdle();

 private:
  io::Task<bool> WaitForRequest();
  io::Task<bool> ServeRequest();
  io::Task<bool> ReadHead(http::RequestHead& head, int& status, std::string_view& reason);
  io::Task<void> Linger();

  Worker& worker_;
  std::unique_ptr<io::Stream> stream_;
  Reader reader_;
  Client client_;
  Admission& admission_;
  const MonotonicTime opened_;
  bool idle_ = false;
};

}  // namespace sluice::proxy
