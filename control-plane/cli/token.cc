// sluice token create: the text goes into a file that only its owner may read, never to the terminal.

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/secret_file.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

struct TokenFlags {
  std::string name;
  std::string role;
  std::string file;
};

int Create(Cli& cli, const TokenFlags& flags) {
  const int written = WriteSecret(cli, flags.file, [&]() -> absl::StatusOr<std::string> {
    admin::v1::CreateTokenRequest request;
    request.set_name(flags.name);
    request.set_role(flags.role);
    admin::v1::CreateTokenResponse response;
    const absl::Status status = cli.Call("Access/CreateToken", request, response);
    if (!status.ok()) return status;
    return response.token();
  });
  if (written != kOk) return written;
  cli.output.Note(Cat("the token of ", flags.name, " (", flags.role, ") is in ", flags.file));
  return kOk;
}

}  // namespace

void AddTokenCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("token", "Make access tokens");
  const auto flags = std::make_shared<TokenFlags>();
  CLI::App* command = group->add_subcommand("create", "Make a token and write it to a new file");
  command->add_option("NAME", flags->name, "Author of what is done with it")->required();
  command->add_option("--role", flags->role, "viewer, operator or admin")
      ->required()
      ->check(CLI::IsMember({"viewer", "operator", "admin"}));
  command->add_option("--file", flags->file, "Where to write it; must not exist")->required();
  command->callback([&cli, flags] { cli.command = [&cli, flags] { return Create(cli, *flags); }; });
}

}  // namespace sluice::cli
