#pragma once

// What a worker asks of a client's connection, whatever protocol it speaks. The worker's thread only.

namespace sluice::proxy {

class ClientConnection {
 public:
  virtual ~ClientConnection() = default;
  // The node drains: ends it now where it waits for a request, otherwise as soon as its exchanges have ended.
  virtual void CloseIfIdle() = 0;
};

}  // namespace sluice::proxy
