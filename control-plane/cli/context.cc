// sluice context set | show: what need not be said every time.

#include <filesystem>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"

namespace sluice::cli {

namespace {

using schema::Cat;

// Where the command is run does not matter afterwards.
absl::StatusOr<std::string> Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return absl::NotFoundError(Cat("where is ", path, "? ", error.message()));
  return absolute.lexically_normal().string();
}

absl::Status Keep(const std::string& path, std::string& kept) {
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> absolute = Absolute(path);
  if (absolute.ok()) kept = *absolute;
  return absolute.status();
}

int Set(Cli& cli) {
  absl::StatusOr<Context> context = ReadContext(cli.environment);
  if (!context.ok()) return cli.output.Fail(context.status());
  const Context& flags = cli.flags;
  if (flags.server.empty() && flags.token_file.empty() && flags.ca.empty()) {
    return cli.output.Fail("say what to keep: --server, --token-file or --ca", kUsage);
  }
  if (!flags.server.empty()) context->server = flags.server;
  absl::Status kept = Keep(flags.token_file, context->token_file);
  if (kept.ok()) kept = Keep(flags.ca, context->ca);
  if (kept.ok()) kept = WriteContext(cli.environment, *context);
  if (!kept.ok()) return cli.output.Fail(std::string(kept.message()), kError);
  cli.output.Note(Cat("kept in ", ContextPath(cli.environment)));
  return kOk;
}

int Show(Cli& cli) {
  const absl::StatusOr<Context> context = ReadContext(cli.environment);
  if (!context.ok()) return cli.output.Fail(context.status());
  const auto or_default = [](const std::string& text, const char* other) {
    return text.empty() ? std::string(other) : text;
  };
  cli.output.Table({"SETTING", "VALUE"}, {{"server", or_default(context->server, kDefaultServer)},
                                          {"token-file", or_default(context->token_file, "none")},
                                          {"ca", or_default(context->ca, "none: clear text")}});
  return kOk;
}

}  // namespace

void AddContextCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("context", "Keep the server, the token's file and the authority");
  CLI::App* command = group->add_subcommand("set", "Keep what --server, --token-file and --ca say");
  command->callback([&cli] { cli.command = [&cli] { return Set(cli); }; });
  command = group->add_subcommand("show", "What is kept");
  command->callback([&cli] { cli.command = [&cli] { return Show(cli); }; });
}

}  // namespace sluice::cli
