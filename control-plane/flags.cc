#include "control-plane/flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "common/base/version.h"

namespace sluice {
namespace {

constexpr int64_t kMinNodeLifeSeconds = 3;
constexpr int64_t kMaxNodeLifeSeconds = 30 * 86'400;
constexpr int64_t kMaxOverlapSeconds = 86'400;

void AddServeOptions(CLI::App& app, Flags& flags) {
  auto* database = app.add_option("--database", flags.database, "libpq connection string or URL");
  database->envname("SLUICE_DATABASE");
  app.add_option("--database-file", flags.database_file, "file that holds the connection string")->excludes(database);
  app.add_option(
      "--secret-key-file", flags.secret_key_file,
      "file of the keys that seal what the database keeps; made at the first start (default: secret-key in the "
      "state folder; the keys themselves may be in SLUICE_SECRET_KEY instead)");
  app.add_option("--admin", flags.admin, "address of the admin service")->capture_default_str();
  app.add_option("--admin-tls-cert", flags.admin_tls_cert, "PEM file; TLS on the admin address");
  app.add_option("--admin-tls-key", flags.admin_tls_key, "PEM file");
  app.add_flag("--insecure-admin", flags.insecure_admin, "allow clear text on an admin address that is not loopback");
  app.add_option("--sync", flags.sync, "address where nodes connect, with mutual TLS")->capture_default_str();
  app.add_option("--advertise", flags.advertise,
                 "host:port where nodes find this replica, with a host of --sync-name (default: as --sync)");
  app.add_option("--sync-name", flags.sync_names, "DNS name or address in its certificate (repeatable)")
      ->capture_default_str();
  app.add_option_function<int64_t>(
         "--node-certificate-ttl", [&flags](int64_t seconds) { flags.node_life = std::chrono::seconds(seconds); },
         "seconds for which a node's certificate is good; it is renewed when two thirds are over (default: 86400)")
      ->check(CLI::Range(kMinNodeLifeSeconds, kMaxNodeLifeSeconds));
  app.add_option_function<int64_t>(
         "--move-overlap", [&flags](int64_t seconds) { flags.move_overlap = std::chrono::seconds(seconds); },
         "seconds for which a gateway that moves to another cell is served in both after clients are told: for as long "
         "as they may remember its address (default: 60)")
      ->check(CLI::Range(int64_t{0}, kMaxOverlapSeconds));
  app.add_option("--ops", flags.ops, "address of /metrics")->capture_default_str();
  app.add_option("--base-domain", flags.base_domain, "domain of generated hostnames")->capture_default_str();
  app.add_option("--egress-allow", flags.egress_allow, "CIDR[:port[-port]] that gateways may reach (repeatable)");
  app.add_option("--protect", flags.protect, "CIDR[:port] that no gateway ever reaches (repeatable)");
}

void AddIssue(CLI::App& app, Flags& flags) {
  CLI::App* issue = app.add_subcommand("issue", "write a certificate for nodes' HTTPS ports, with its key");
  issue->add_option("--name", flags.issue_names, "base domain (repeatable)")->required();
  issue->add_option("--out", flags.issue_folder, "folder for cert.pem, key.pem and ca.pem")->required();
  issue->fallthrough();  // to the options that say where the state and the database are
  issue->callback([&flags] { flags.issue = true; });
}

}  // namespace

bool ParseFlags(int argc, char** argv, Flags& flags, int& exit_code) {
  CLI::App app("The control plane of Sluice: owns what is wanted, and tells the nodes.", "sluice-control-plane");
  app.set_version_flag("--version", kVersion);
  app.add_option("--state", flags.state, "folder of the fleet's certificates and the first token")
      ->envname("SLUICE_STATE");
  AddServeOptions(app, flags);
  AddProvisionOptions(app, flags.provision);
  AddIssue(app, flags);
  // The parser throws; nothing else of ours does.
  try {
    app.parse(argc, argv);
    if (const char* key = std::getenv("SLUICE_SECRET_KEY")) flags.secret_key = key;
    if (!flags.secret_key.empty() && !flags.secret_key_file.empty())
      throw CLI::ValidationError("--secret-key-file", "SLUICE_SECRET_KEY is set too; give one of them");
    if (flags.state.empty()) throw CLI::RequiredError("--state");
    if (flags.database.empty() && flags.database_file.empty()) {
      throw CLI::RequiredError("--database or --database-file");
    }
    CheckProvisionOptions(flags.provision);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 64;
    return false;
  }
  return true;
}

}  // namespace sluice
