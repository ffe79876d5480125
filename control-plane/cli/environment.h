#pragma once

// Everything the command touches besides its arguments, so that tests can stand in for it. Belongs to the main thread.

#include <functional>
#include <istream>
#include <memory>
#include <ostream>

#include "control-plane/cli/client.h"
#include "control-plane/cli/yaml.h"

namespace sluice::cli {

struct Environment {
  std::istream& in;
  std::ostream& out;           // data
  std::ostream& err;           // messages
  bool interactive = false;    // `in` is a terminal
  bool colour = false;         // `err` is a terminal and NO_COLOR is not set
  Variable variable;           // of the process environment
  std::function<absl::StatusOr<std::unique_ptr<Client>>(const Target&)> connect;
  bool colour_data = false;  // the same of `out`
};

}  // namespace sluice::cli
