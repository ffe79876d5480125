#pragma once

// What the data plane is started with, read from the command line and the environment. Used by main() alone.

#include <string>
#include <vector>

#include "data-plane/io/stream.h"
#include "data-plane/proxy/options.h"
#include "data-plane/sync/wakes.h"

namespace sluice {

struct Flags {
  proxy::Options proxy;
  std::vector<std::string> control_planes = {"127.0.0.1:7002"};
  std::string join_token_file;  // "": none
  io::Endpoint ops;
  std::string ops_address;  // as written
  std::string state;        // folder of its identity and the last good configuration
  std::string state_key_file;  // "": in that folder
  std::string state_key;       // of the environment; "": the file's
  size_t working_set = 0;      // gateways whose configurations it holds; 0: all
  sync::RestRules rest;        // of one that holds all
};

// False where the process is to end at once, with `exit_code` (0 after --help, 64 for wrong usage, told on stderr).
bool ParseFlags(int argc, char** argv, Flags& flags, int& exit_code);

}  // namespace sluice
