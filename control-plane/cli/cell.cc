// sluice cell | cell set | cell drain | cell resume | cell delete

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "sluice/admin/v1/cells.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

std::string StateText(const admin::v1::Cell& cell) {
  if (!cell.draining()) return "open";
  return cell.gateways() + cell.leaving() == 0 ? "drained" : "draining";
}

void Show(Cli& cli, const std::vector<admin::v1::Cell>& cells) {
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::Cell& cell : cells) {
    rows.push_back({cell.name(), StateText(cell), std::to_string(cell.gateways()),
                    cell.capacity() == 0 ? "" : std::to_string(cell.capacity()), std::to_string(cell.leaving()),
                    std::to_string(cell.connected_nodes()), schema::JoinText(cell.missing_nodes(), ", "),
                    cell.address()});
  }
  cli.output.Table({"CELL", "STATE", "GATEWAYS", "CAPACITY", "LEAVING", "NODES", "MISSING NODES", "ADDRESS"}, rows);
}

int List(Cli& cli) {
  admin::v1::ListCellsResponse response;
  const absl::Status status = cli.Call("Cells/ListCells", admin::v1::ListCellsRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) Show(cli, {response.cells().begin(), response.cells().end()});
  return kOk;
}

// A call that answers with the cell.
int CallForCell(Cli& cli, const std::string& method, const google::protobuf::Message& request,
                const std::string& note) {
  admin::v1::Cell cell;
  const absl::Status status = cli.Call(Cat("Cells/", method), request, cell);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(cell)) return kOk;
  Show(cli, {cell});
  if (!note.empty()) cli.output.Note(note);
  return kOk;
}

int Drain(Cli& cli, const std::string& name) {
  admin::v1::DrainCellRequest request;
  request.set_name(name);
  return CallForCell(cli, "DrainCell", request,
                     Cat("its gateways move to other cells, a minute or more each; see `sluice cell`. When it is ",
                         "drained, stop its nodes and `sluice cell delete ", name, "`"));
}

int Resume(Cli& cli, const std::string& name) {
  admin::v1::ResumeCellRequest request;
  request.set_name(name);
  return CallForCell(cli, "ResumeCell", request, "what has moved stays where it is");
}

int Delete(Cli& cli, const std::string& name) {
  admin::v1::DeleteCellRequest request;
  request.set_name(name);
  admin::v1::DeleteCellResponse response;
  const absl::Status status = cli.Call("Cells/DeleteCell", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) cli.output.Note(Cat("cell ", name, " was deleted"));
  return kOk;
}

// A command whose argument is a cell.
CLI::App* AddNamed(CLI::App& group, Cli& cli, const char* command, const char* help,
                   int (*run)(Cli&, const std::string&)) {
  CLI::App* added = group.add_subcommand(command, help);
  const auto name = std::make_shared<std::string>();
  added->add_option("NAME", *name, "as in `sluice cell`")->required();
  added->callback([&cli, name, run] { cli.command = [&cli, name, run] { return run(cli, *name); }; });
  return added;
}

}  // namespace

void AddCellCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("cell", "Cells: nodes behind one address, and the gateways placed there");
  group->alias("cells");
  group->callback([&cli, group] {
    if (group->get_subcommands().empty()) cli.command = [&cli] { return List(cli); };
  });
  group->add_subcommand("list", "Every cell: gateways, nodes, and which nodes a drain would wait for")
      ->callback([&cli] { cli.command = [&cli] { return List(cli); }; });
  const auto cell = std::make_shared<admin::v1::SetCellRequest>();
  CLI::App* set = group->add_subcommand("set", "Make a cell, or change the one that there is");
  set->add_option_function<std::string>("NAME", [cell](const std::string& name) { cell->set_name(name); },
                                        "1 to 63 of a-z, 0-9 and -")
      ->required();
  set->add_option_function<int64_t>("--capacity", [cell](int64_t capacity) { cell->set_capacity(capacity); },
                                    "Gateways that the platform places there at most (default: no bound)");
  set->add_option_function<std::string>("--address", [cell](const std::string& text) { cell->set_address(text); },
                                        "Where clients find its nodes: for you and your name servers");
  set->callback([&cli, cell] {
    cli.command = [&cli, cell] {
      return CallForCell(cli, "SetCell", *cell,
                         Cat("nodes join it with a token: sluice node token create --cell ", cell->name(),
                             " --file FILE"));
    };
  });
  AddNamed(*group, cli, "drain", "Move its gateways to other cells, and place no more in it", Drain);
  AddNamed(*group, cli, "resume", "End a drain", Resume);
  AddNamed(*group, cli, "delete", "Delete a cell without gateways and nodes", Delete);
}

}  // namespace sluice::cli
