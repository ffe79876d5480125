// sluice apply | diff | dump | versions: a gateway's configuration as a whole.

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/yaml_writer.h"
#include "google/protobuf/util/time_util.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

struct ApplyFlags {
  std::string gateway;
  std::string file;
  std::string message;
  bool dry_run = false;
  WaitFlags wait;
};

std::string Or(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

// "+ route a", "~ route b", "    paths[0]: "/x" -> "/y"", "- route c".
void ShowChanges(Cli& cli, const admin::v1::ApplyConfigResponse& response) {
  for (const admin::v1::Change& change : response.changes()) {
    const char* mark = change.action() == admin::v1::Change::CREATE   ? "+"
                       : change.action() == admin::v1::Change::DELETE ? "-"
                                                                      : "~";
    cli.output.Data(Cat(mark, " ", Printable(change.kind()), " ", Printable(change.name()), "\n"));
    for (const admin::v1::FieldChange& field : change.fields()) {
      cli.output.Data(Cat("    ", Printable(field.field()), ": ", Printable(Or(field.before(), "absent")), " -> ",
                          Printable(Or(field.after(), "absent")), "\n"));
    }
  }
}

// The exit code of what failed, or kOk with the answer.
int Send(Cli& cli, const ApplyFlags& flags, admin::v1::ApplyConfigResponse& response) {
  Source source;
  if (const int code = cli.Read(flags.file, source); code != kOk) return code;
  admin::v1::ApplyConfigRequest request;
  request.set_gateway(flags.gateway);
  *request.mutable_document() = source.document.value;
  request.set_dry_run(flags.dry_run);
  request.set_message(flags.message);
  flags.wait.Fill(request);
  const absl::Status status = cli.Call("Configs/ApplyConfig", request, response, flags.wait.CallTimeout());
  return status.ok() ? kOk : cli.output.Fail(status, &source);
}

int Apply(Cli& cli, const ApplyFlags& flags) {
  admin::v1::ApplyConfigResponse response;
  if (const int code = Send(cli, flags, response); code != kOk) return code;
  if (!cli.output.Structured(response)) ShowChanges(cli, response);
  const std::string live = flags.wait.wait ? ", live on every connected node" : "";
  if (flags.dry_run) {
    cli.output.Note(Cat("dry run: ", response.changes_size(), " changes to version ", response.version()));
  } else if (response.changes().empty()) {
    cli.output.Note(Cat("nothing to change: ", flags.gateway, " is at version ", response.version(), live));
  } else {
    cli.output.Note(
        Cat(flags.gateway, " is at version ", response.version(), " (", response.changes_size(), " changes)", live));
  }
  return kOk;
}

int Diff(Cli& cli, ApplyFlags flags) {
  flags.dry_run = true;
  admin::v1::ApplyConfigResponse response;
  if (const int code = Send(cli, flags, response); code != kOk) return code;
  if (!cli.output.Structured(response)) ShowChanges(cli, response);
  if (response.changes().empty()) cli.output.Note("no differences");
  return response.changes().empty() ? kOk : kDifferences;
}

int Dump(Cli& cli, const std::string& gateway, int64_t version) {
  admin::v1::GetConfigRequest request;
  request.set_gateway(gateway);
  request.set_version(version);
  admin::v1::GetConfigResponse response;
  if (const absl::Status status = cli.Call("Configs/GetConfig", request, response); !status.ok())
    return cli.output.Fail(status);
  const bool json = cli.output.format == Format::kJson;
  cli.output.Data(json ? WriteJson(response.document()) : WriteYaml(response.document()));
  cli.output.Note(Cat(gateway, " at version ", response.version()));
  return kOk;
}

int Versions(Cli& cli, const std::string& gateway) {
  admin::v1::ListVersionsRequest request;
  request.set_gateway(gateway);
  request.set_page_size(1000);
  admin::v1::ListVersionsResponse all;
  do {
    admin::v1::ListVersionsResponse page;
    if (const absl::Status status = cli.Call("Configs/ListVersions", request, page); !status.ok())
      return cli.output.Fail(status);
    all.mutable_versions()->MergeFrom(page.versions());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (cli.output.Structured(all)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::Version& version : all.versions()) {
    google::protobuf::Timestamp seconds = version.create_time();
    seconds.set_nanos(0);
    rows.push_back({std::to_string(version.version()), google::protobuf::util::TimeUtil::ToString(seconds),
                    version.author(), std::to_string(version.config_bytes()), version.message()});
  }
  cli.output.Table({"VERSION", "TIME", "AUTHOR", "BYTES", "MESSAGE"}, rows);
  return kOk;
}

CLI::App* AddWithGateway(CLI::App& app, const char* name, const char* what, std::string& gateway) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("-g,--gateway", gateway, "Name or id")->required();
  return command;
}

}  // namespace

void AddConfigCommands(CLI::App& app, Cli& cli) {
  const auto apply = std::make_shared<ApplyFlags>();
  CLI::App* command =
      AddWithGateway(app, "apply", "Make a gateway's configuration what a decK file says", apply->gateway);
  command->add_option("-f,--file", apply->file, "YAML or JSON file; - reads standard input")->required();
  command->add_option("-m,--message", apply->message, "Kept with the version");
  command->add_flag("--dry-run", apply->dry_run, "Check and show what would change");
  apply->wait.AddTo(*command);
  command->callback([&cli, apply] { cli.command = [&cli, apply] { return Apply(cli, *apply); }; });

  const auto diff = std::make_shared<ApplyFlags>();
  command = AddWithGateway(app, "diff", "Show what apply would change; exit code 2 where it would", diff->gateway);
  command->add_option("-f,--file", diff->file, "YAML or JSON file; - reads standard input")->required();
  command->callback([&cli, diff] { cli.command = [&cli, diff] { return Diff(cli, *diff); }; });

  struct DumpFlags {
    std::string gateway;
    int64_t version = 0;
  };
  const auto dump = std::make_shared<DumpFlags>();
  command = AddWithGateway(app, "dump", "Write a gateway's configuration as a decK file", dump->gateway);
  command->add_option("--version", dump->version, "An earlier version's number")->check(CLI::PositiveNumber);
  command->callback([&cli, dump] { cli.command = [&cli, dump] { return Dump(cli, dump->gateway, dump->version); }; });

  const auto gateway = std::make_shared<std::string>();
  command = AddWithGateway(app, "versions", "A gateway's versions, newest first", *gateway);
  command->callback([&cli, gateway] { cli.command = [&cli, gateway] { return Versions(cli, *gateway); }; });
}

}  // namespace sluice::cli
