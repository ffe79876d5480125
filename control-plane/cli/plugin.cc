// sluice plugins [NAME]

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/yaml_writer.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using admin::v1::PluginInfo;
using schema::Cat;

std::string SupportText(PluginInfo::Support support) {
  switch (support) {
    case PluginInfo::SUPPORTED: return "yes";
    case PluginInfo::NOT_YET: return "not yet";
    case PluginInfo::RESTRICTED: return "restricted";
    default: return "unknown";
  }
}

int List(Cli& cli) {
  admin::v1::ListPluginsResponse response;
  const absl::Status status = cli.Call("Plugins/ListPlugins", admin::v1::ListPluginsRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const PluginInfo& plugin : response.plugins()) {
    const std::string note = plugin.support() == PluginInfo::SUPPORTED ? plugin.description() : plugin.instead();
    rows.push_back({plugin.name(), SupportText(plugin.support()), plugin.reason(), note});
  }
  cli.output.Table({"PLUGIN", "SUPPORTED", "REASON", "NOTE"}, rows);
  return kOk;
}

int Show(Cli& cli, const std::string& name) {
  admin::v1::GetPluginSchemaRequest request;
  request.set_name(name);
  admin::v1::GetPluginSchemaResponse response;
  if (const absl::Status status = cli.Call("Plugins/GetPluginSchema", request, response); !status.ok()) {
    return cli.output.Fail(status);
  }
  const PluginInfo& plugin = response.plugin();
  if (plugin.support() != PluginInfo::SUPPORTED) {
    cli.output.Note(Cat(plugin.name(), " is ",
                        plugin.support() == PluginInfo::RESTRICTED ? "restricted" : "not supported yet", " (",
                        plugin.reason(), "): ", plugin.instead()));
  }
  if (cli.output.Structured(response)) return kOk;
  cli.output.Data(WriteYaml(response.schema()));
  return kOk;
}

}  // namespace

void AddPluginCommands(CLI::App& app, Cli& cli) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("plugins", "Every known plugin and what to use instead; with NAME, its schema");
  command->add_option("NAME", *name, "A plugin's name");
  command->callback(
      [&cli, name] { cli.command = [&cli, name] { return name->empty() ? List(cli) : Show(cli, *name); }; });
}

}  // namespace sluice::cli
