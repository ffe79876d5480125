#pragma once

// The command line of sluice-control-plane. Read once by main.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "control-plane/provision_flags.h"

namespace sluice {

struct Flags {
  std::string database;
  std::string database_file;
  std::string state;
  std::string secret_key_file;  // "": in the state folder
  std::string secret_key;       // of the environment; "": the file's
  std::string admin = "127.0.0.1:7001";
  std::string admin_tls_cert;
  std::string admin_tls_key;
  bool insecure_admin = false;
  std::string sync = "127.0.0.1:7002";
  std::string advertise;  // "": as `sync`
  std::vector<std::string> sync_names = {"localhost", "127.0.0.1"};
  std::string ops = "127.0.0.1:7003";
  std::string base_domain = "gw.localhost";
  std::vector<std::string> egress_allow;
  std::vector<std::string> protect;

  Duration move_overlap = std::chrono::seconds(60);  // of both cells of a move
  ProvisionFlags provision;
  Duration node_life = std::chrono::hours(24);  // of a node's certificate

  bool issue = false;  // the subcommand
  std::vector<std::string> issue_names;
  std::string issue_folder;
};

// False: the program ends with `exit_code` (help, version, mistakes), everything said.
bool ParseFlags(int argc, char** argv, Flags& flags, int& exit_code);

}  // namespace sluice
