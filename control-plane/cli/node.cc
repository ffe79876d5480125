// sluice nodes

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "google/protobuf/util/time_util.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

int List(Cli& cli) {
  admin::v1::ListNodesResponse response;
  const absl::Status status = cli.Call("Nodes/ListNodes", admin::v1::ListNodesRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::Node& node : response.nodes()) {
    google::protobuf::Timestamp seen = node.last_seen_time();
    seen.set_nanos(0);
    const std::string applied = node.connected() ? Cat(node.applied_revision(), "/", response.head_revision()) : "";
    rows.push_back({node.name(), node.connected() ? "yes" : "no", applied, std::to_string(node.rejections_size()),
                    node.build(), node.address(), google::protobuf::util::TimeUtil::ToString(seen)});
  }
  cli.output.Table({"NODE", "CONNECTED", "APPLIED", "REJECTED", "BUILD", "ADDRESS", "SEEN"}, rows);
  return kOk;
}

int Remove(Cli& cli, const std::string& name) {
  admin::v1::RemoveNodeRequest request;
  request.set_name(name);
  admin::v1::RemoveNodeResponse response;
  const absl::Status status = cli.Call("Nodes/RemoveNode", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) cli.output.Note(Cat("node ", name, " is removed; the others share its part"));
  return kOk;
}

}  // namespace

void AddNodeCommands(CLI::App& app, Cli& cli) {
  CLI::App* command = app.add_subcommand("nodes", "Data-plane nodes: who is connected, and how far each has got");
  command->callback([&cli, command] {
    if (command->get_subcommands().empty()) cli.command = [&cli] { return List(cli); };
  });
  CLI::App* remove = command->add_subcommand("remove", "Give up a node that will never serve again");
  const auto name = std::make_shared<std::string>();
  remove->add_option("NAME", *name, "as in `sluice nodes`")->required();
  remove->callback([&cli, name] { cli.command = [&cli, name] { return Remove(cli, *name); }; });
}

}  // namespace sluice::cli
