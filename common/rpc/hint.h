#pragma once

// What a server says beside "no": who else to ask, or when to ask again. Carried as google.rpc details of the status.
// Stateless; callable from every thread.

#include <string>

#include "common/base/clock.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace sluice::rpc {

struct Hint {
  std::string address;      // host:port of the peer that would say yes; "": not known
  Duration retry_after{0};  // at the earliest; 0: nothing was said
};

// `status` with the hint.
grpc::Status WithHint(const grpc::Status& status, const Hint& hint);
// Empty where the status has none that can be read.
Hint HintOf(const grpc::Status& status);

}  // namespace sluice::rpc
