#pragma once

// Calls of the admin API. The commands know only this; gRPC is in grpc_client.cc. One call at a time.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "google/protobuf/message.h"
#include "google/rpc/status.pb.h"

namespace sluice::cli {

inline constexpr Duration kCallTimeout = std::chrono::seconds(30);

// Where to, and as whom.
struct Target {
  std::string server;  // host:port
  std::string ca;      // PEM file; "": clear text
  std::string token;
};

class Client {
 public:
  virtual ~Client() = default;

  // `method`: "Gateways/CreateGateway". The status carries the answer's google.rpc details as payloads.
  virtual absl::Status Call(const std::string& method, const google::protobuf::Message& request,
                            google::protobuf::Message& response, Duration timeout = kCallTimeout) = 0;
  // Of a method that answers a stream: `take` is called when `response` holds the next message. OK where the answer
  // ended, or `take` returned false.
  virtual absl::Status Stream(const std::string& method, const google::protobuf::Message& request,
                              google::protobuf::Message& response, const std::function<bool()>& take) = 0;
};

// As a call that failed alone would have answered.
absl::Status FromRpc(const google::rpc::Status& status);

absl::StatusOr<std::unique_ptr<Client>> MakeGrpcClient(const Target& target);

}  // namespace sluice::cli
