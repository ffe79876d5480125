#pragma once

// The key that seals what a node keeps of configurations on its disk. Immutable; callable from every thread.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluice::sync {

class StateKey {
 public:
  // 32 bytes in base64: `text` where it is not empty, else what the file holds. INVALID_ARGUMENT never repeats it.
  // `file` empty: the file "key" in `folder`, made where it is absent, with the folder. Where it cannot be made, a key
  // for this process alone: the node serves, and the one after it starts without a configuration.
  static absl::StatusOr<StateKey> Open(const std::string& folder, const std::string& file, const std::string& text);
  static StateKey Random();

  std::string_view bytes() const { return bytes_; }
  // Eight bytes that tell keys apart and tell nothing of them.
  std::string_view id() const { return id_; }

 private:
  explicit StateKey(std::string bytes);
  static absl::StatusOr<StateKey> Parse(std::string_view from, std::string_view text);

  std::string bytes_;
  std::string id_;
};

}  // namespace sluice::sync
