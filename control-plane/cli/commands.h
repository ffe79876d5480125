#pragma once

// The groups of subcommands, one file each. Each adds itself to the application and, when chosen, sets Cli::command;
// run.cc runs that once everything is parsed. Belongs to the main thread.

#include <functional>
#include <memory>
#include <string>

#include "control-plane/cli/environment.h"
#include "control-plane/cli/output.h"
#include "control-plane/cli/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace sluice::cli {

struct Cli {
  explicit Cli(Environment& environment) : environment(environment), output(environment) {}

  Environment& environment;
  Output output;
  Context flags;                  // --server, --token-file, --ca
  std::function<int()> command;   // the chosen one; its exit code
  std::unique_ptr<Client> client; // connected by the first call

  absl::Status Call(const std::string& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Duration timeout = kCallTimeout);
  // Until the answer ends, or `take`, called with each message of it, returns false.
  absl::Status Stream(const std::string& method, const google::protobuf::Message& request,
                      google::protobuf::Message& response, const std::function<bool()>& take);
  // Reads a YAML or JSON file; kOk, or what it failed with, said already.
  int Read(const std::string& path, Source& source);

 private:
  absl::Status Connect();
};

void AddGatewayCommands(CLI::App& app, Cli& cli);
void AddConfigCommands(CLI::App& app, Cli& cli);  // apply, dump
void AddVersionCommands(CLI::App& app, Cli& cli);  // versions, diff, rollback
void AddImportCommand(CLI::App& app, Cli& cli);
void AddEntityCommands(CLI::App& app, Cli& cli);
void AddPluginCommands(CLI::App& app, Cli& cli);
void AddPlanCommands(CLI::App& app, Cli& cli);
void AddCellCommands(CLI::App& app, Cli& cli);
void AddNodeCommands(CLI::App& app, Cli& cli);
void AddAuthorityCommands(CLI::App& app, Cli& cli);
void AddUsageCommand(CLI::App& app, Cli& cli);
void AddTokenCommands(CLI::App& app, Cli& cli);
void AddContextCommands(CLI::App& app, Cli& cli);
void AddCompletionCommand(CLI::App& app, Cli& cli);

}  // namespace sluice::cli
