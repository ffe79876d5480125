// sluice apply | dump: a gateway's configuration as a whole.

#include "CLI/CLI.hpp"
#include "control-plane/cli/changes.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/yaml_writer.h"

namespace sluice::cli {

namespace {

struct ApplyFlags {
  std::string gateway;
  std::string file;
  WriteFlags write;
};

int Apply(Cli& cli, const ApplyFlags& flags) {
  Source source;
  if (const int code = cli.Read(flags.file, source); code != kOk) return code;
  admin::v1::ApplyConfigRequest request;
  request.set_gateway(flags.gateway);
  *request.mutable_document() = source.document.value;
  flags.write.Fill(request);
  admin::v1::ApplyConfigResponse response;
  const absl::Status status = cli.Call("Configs/ApplyConfig", request, response, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status, &source);
  ShowApplied(cli, flags.gateway, flags.write, response);
  return kOk;
}

struct DumpFlags {
  std::string gateway;
  int64_t version = 0;
};

int Dump(Cli& cli, const DumpFlags& flags) {
  admin::v1::GetConfigRequest request;
  request.set_gateway(flags.gateway);
  request.set_version(flags.version);
  admin::v1::GetConfigResponse response;
  if (const absl::Status status = cli.Call("Configs/GetConfig", request, response); !status.ok())
    return cli.output.Fail(status);
  const bool json = cli.output.format == Format::kJson;
  cli.output.Data(json ? WriteJson(response.document()) : WriteYaml(response.document()));
  return kOk;
}

}  // namespace

void AddConfigCommands(CLI::App& app, Cli& cli) {
  const auto apply = std::make_shared<ApplyFlags>();
  CLI::App* command = app.add_subcommand("apply", "Make a gateway's configuration what a decK file says");
  command->add_option("-g,--gateway", apply->gateway, "Name or id")->required();
  command->add_option("-f,--file", apply->file, "YAML or JSON file; - reads standard input")->required();
  apply->write.AddMessageTo(*command);
  apply->write.AddIfVersionTo(*command);
  apply->write.AddTo(*command);
  command->callback([&cli, apply] { cli.command = [&cli, apply] { return Apply(cli, *apply); }; });

  const auto dump = std::make_shared<DumpFlags>();
  command = app.add_subcommand("dump", "Write a gateway's configuration as a decK file");
  command->add_option("-g,--gateway", dump->gateway, "Name or id")->required();
  command->add_option("--version", dump->version, "An earlier version's number")->check(CLI::PositiveNumber);
  command->callback([&cli, dump] { cli.command = [&cli, dump] { return Dump(cli, *dump); }; });
}

}  // namespace sluice::cli
