#pragma once

// The calls of Docker's Engine API that nodes need, in the newest version that the engine and this program both know.
// One thread at a time; calls block for at most kMaxCall.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control-plane/provision/http.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::provision {

struct Container {
  std::string id;
  std::string state;   // "created", "running", "restarting", "removing", "paused", "exited", "dead"
  std::string status;  // for people: "Up 3 seconds (healthy)"
  google::protobuf::Struct labels;
  std::string Label(const std::string& name) const;
};

// Errors are the engine's own words, with what was asked of it. UNAVAILABLE: there is none behind the socket, or it
// does not say.
class Engine {
 public:
  explicit Engine(std::string socket) : socket_(std::move(socket)), http_(socket_) {}

  absl::StatusOr<std::vector<Container>> List(std::string_view label);  // "name=value"; running or not
  absl::StatusOr<std::string> ImageId(const std::string& image);        // NOT_FOUND
  // Its id. ALREADY_EXISTS: the name is another container's.
  absl::StatusOr<std::string> Create(const std::string& name, const google::protobuf::Struct& container);
  absl::Status Put(const std::string& id, const std::string& folder, const std::string& tar);
  absl::Status Start(const std::string& id);
  absl::Status Signal(const std::string& id, const std::string& signal);  // OK where it does not run
  absl::Status Remove(const std::string& id);                             // with its volumes; OK where it is gone

 private:
  absl::StatusOr<HttpAnswer> Call(const std::string& method, const std::string& path, const std::string& body = "",
                                  const std::string& content_type = "application/json");
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request);
  absl::Status FindVersion();

  const std::string socket_;
  HttpClient http_;
  std::string version_;  // "": not known yet
};

}  // namespace sluice::provision
