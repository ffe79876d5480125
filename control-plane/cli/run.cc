#include "control-plane/cli/run.h"

#include <algorithm>
#include <map>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"

namespace sluice::cli {

namespace {

using schema::Cat;

constexpr const char* kFooter = R"(
Where to:   --server, else SLUICE_SERVER, else the context, else 127.0.0.1:7001
As whom:    --token-file, else SLUICE_TOKEN, else the context (sluice context set --token-file FILE)
Exit codes: 0 done, 1 error, 2 differences (diff), 3 not found, 4 authentication, 5 not live in time, 64 usage

Try:        sluice gateway create shop --wait
            sluice apply -g shop -f kong.yaml --wait
            sluice diff -g shop --from 2 --to 3
            sluice rollback -g shop 2 --wait)";

void AddGlobalOptions(CLI::App& app, Cli& cli) {
  const std::map<std::string, Format> formats = {
      {"table", Format::kTable}, {"json", Format::kJson}, {"yaml", Format::kYaml}};
  app.add_option("--server", cli.flags.server, "The control plane's admin address, HOST:PORT");
  app.add_option("--token-file", cli.flags.token_file, "File that holds the access token");
  app.add_option("--ca", cli.flags.ca, "PEM file of the authority that signed the server's certificate; makes it TLS");
  app.add_option("-o,--output", cli.output.format, "table, json or yaml")
      ->transform(CLI::CheckedTransformer(formats).description(""));
  app.add_flag("-q,--quiet", cli.output.quiet, "No messages but errors");
  app.set_version_flag("--version", kVersion);
}

void AddOwnVersionCommand(CLI::App& app, Cli& cli) {
  CLI::App* version = app.add_subcommand("version", "Version of this command");
  version->callback([&cli] {
    cli.command = [&cli] {
      cli.output.Data(Cat(kVersion, "\n"));
      return kOk;
    };
  });
}

// Nothing, or the name of a group alone: its commands are what helps.
int NoCommand(const CLI::App& app, Cli& cli) {
  const CLI::App* group = &app;
  while (!group->get_subcommands().empty()) group = group->get_subcommands().front();
  cli.environment.err << group->help();
  return kUsage;
}

}  // namespace

absl::Status Cli::Connect() {
  if (client != nullptr) return absl::OkStatus();
  const absl::StatusOr<Target> target = ResolveTarget(environment, flags);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::unique_ptr<Client>> connected = environment.connect(*target);
  if (connected.ok()) client = std::move(*connected);
  return connected.status();
}

absl::Status Cli::Call(const std::string& method, const google::protobuf::Message& request,
                       google::protobuf::Message& response, Duration timeout) {
  const absl::Status connected = Connect();
  return connected.ok() ? client->Call(method, request, response, timeout) : connected;
}

absl::Status Cli::Stream(const std::string& method, const google::protobuf::Message& request,
                         google::protobuf::Message& response, const std::function<bool()>& take) {
  const absl::Status connected = Connect();
  return connected.ok() ? client->Stream(method, request, response, take) : connected;
}

int Cli::Read(const std::string& path, Source& source) {
  source.path = path;
  const absl::StatusOr<std::string> text = ReadInput(environment, path, kMaxYamlBytes);
  if (!text.ok()) return output.Fail(std::string(text.status().message()), kError);
  YamlError error;
  if (ReadYaml(*text, environment.variable, source.document, error)) return kOk;
  const std::string name = path == "-" ? "stdin" : path;
  return output.Fail(Cat(name, ":", error.position.line, ":", error.position.column, ": ", error.message), kError);
}

int Run(const std::vector<std::string>& arguments, Environment& environment) {
  Cli cli(environment);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!schema::IsUtf8(arguments[i])) return cli.output.Fail(Cat("argument ", i + 1, " is not UTF-8"), kUsage);
  }
  CLI::App app("sluice: serverless API gateways of your own", "sluice");
  app.fallthrough();
  app.footer(kFooter);
  AddGlobalOptions(app, cli);
  AddGatewayCommands(app, cli);
  AddConfigCommands(app, cli);
  AddVersionCommands(app, cli);
  AddImportCommand(app, cli);
  AddEntityCommands(app, cli);
  AddPluginCommands(app, cli);
  AddPlanCommands(app, cli);
  AddCellCommands(app, cli);
  AddNodeCommands(app, cli);
  AddAuthorityCommands(app, cli);
  AddUsageCommand(app, cli);
  AddTokenCommands(app, cli);
  AddContextCommands(app, cli);
  AddCompletionCommand(app, cli);
  AddOwnVersionCommand(app, cli);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong, environment.out, environment.err) == 0 ? kOk : kUsage;
  }
  if (!cli.command) return NoCommand(app, cli);
  const int code = cli.command();
  environment.out.flush();
  if (!environment.out) return cli.output.Fail("standard output could not be written", kError);
  return code;
}

}  // namespace sluice::cli
