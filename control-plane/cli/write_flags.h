#pragma once

// Flags that are alike in every command that changes something. Belongs to the main thread.

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "sluice/admin/v1/admin.pb.h"

namespace CLI {
class App;
}  // namespace CLI

namespace sluice::cli {

struct WriteFlags {
  bool wait = false;
  uint32_t timeout_s = 10;
  bool dry_run = false;
  std::string request_id;
  int64_t if_version = 0;  // 0: whatever it is
  std::string message;

  void AddTo(CLI::App& command);           // --wait, --timeout, --dry-run, --request-id
  void AddIfVersionTo(CLI::App& command);  // where there is a gateway already
  void AddMessageTo(CLI::App& command);    // where a version is made of it
  Duration CallTimeout() const;

  template <typename Request>
  void Fill(Request& request) const {
    if (wait) request.mutable_wait()->set_timeout_ms(timeout_s * 1000);
    request.set_request_id(request_id);
    if constexpr (requires { request.set_dry_run(dry_run); }) {
      request.set_dry_run(dry_run);
    } else {
      request.set_validate_only(dry_run);
    }
    if constexpr (requires { request.set_etag(message); }) {
      if (if_version != 0) request.set_etag(std::to_string(if_version));
    }
    if constexpr (requires { request.set_message(message); }) request.set_message(message);
  }
};

// ", live on node-1, node-2": what follows a sentence about a change. "" where nobody waited.
std::string LiveOn(const WriteFlags& flags, const admin::v1::Rollout& rollout);

}  // namespace sluice::cli
