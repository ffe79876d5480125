// sluice versions | diff | rollback: what a gateway was, and what it would be.

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/changes.h"
#include "google/protobuf/util/time_util.h"

namespace sluice::cli {

namespace {

using schema::Cat;

// "+3 ~1 -0"
std::string CountsOf(const admin::v1::Version& version) {
  if (!version.has_changes()) return "";
  const admin::v1::ChangeCounts& counts = version.changes();
  return Cat("+", counts.created(), " ~", counts.updated(), " -", counts.deleted());
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
                    version.author(), CountsOf(version), std::to_string(version.config_bytes()), version.message()});
  }
  cli.output.Table({"VERSION", "TIME", "AUTHOR", "CHANGES", "BYTES", "MESSAGE"}, rows);
  return kOk;
}

struct DiffFlags {
  std::string gateway;
  std::string file;
  int64_t from = 0;
  int64_t to = 0;
};

// What apply would change.
int DiffFile(Cli& cli, const DiffFlags& flags) {
  Source source;
  if (const int code = cli.Read(flags.file, source); code != kOk) return code;
  admin::v1::ApplyConfigRequest request;
  request.set_gateway(flags.gateway);
  *request.mutable_document() = source.document.value;
  request.set_dry_run(true);
  admin::v1::ApplyConfigResponse response;
  const absl::Status status = cli.Call("Configs/ApplyConfig", request, response);
  if (!status.ok()) return cli.output.Fail(status, &source);
  if (!cli.output.Structured(response)) ShowChanges(cli, response.changes(), response.changes_left_out());
  if (response.changes().empty()) cli.output.Note("no differences");
  return response.changes().empty() ? kOk : kDifferences;
}

int DiffVersions(Cli& cli, const DiffFlags& flags) {
  if (flags.to == 1 && flags.from == 0) {
    return cli.output.Fail("version 1 is the first: there is none before it; give --from too", kUsage);
  }
  admin::v1::DiffVersionsRequest request;
  request.set_gateway(flags.gateway);
  request.set_from(flags.from != 0 ? flags.from : flags.to - 1);
  request.set_to(flags.to);
  admin::v1::DiffVersionsResponse response;
  const absl::Status status = cli.Call("Configs/DiffVersions", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) ShowChanges(cli, response.changes(), response.changes_left_out());
  const bool differ = !response.changes().empty();
  cli.output.Note(Cat(differ ? "" : "no differences, ", "version ", response.from(), " -> ", response.to()));
  return differ ? kDifferences : kOk;
}

int Diff(Cli& cli, const DiffFlags& flags) {
  if (!flags.file.empty()) return DiffFile(cli, flags);
  if (flags.from != 0 || flags.to != 0) return DiffVersions(cli, flags);
  return cli.output.Fail("a diff with what? Give -f FILE, or --from VERSION and --to VERSION", kUsage);
}

struct RollbackFlags {
  std::string gateway;
  int64_t version = 0;
  WriteFlags write;
};

int Rollback(Cli& cli, const RollbackFlags& flags) {
  admin::v1::RollbackRequest request;
  request.set_gateway(flags.gateway);
  request.set_version(flags.version);
  flags.write.Fill(request);
  admin::v1::ApplyConfigResponse response;
  const absl::Status status = cli.Call("Configs/Rollback", request, response, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status);
  ShowApplied(cli, flags.gateway, flags.write, response);
  return kOk;
}

CLI::App* AddWithGateway(CLI::App& app, const char* name, const char* what, std::string& gateway) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("-g,--gateway", gateway, "Name or id")->required();
  return command;
}

}  // namespace

void AddVersionCommands(CLI::App& app, Cli& cli) {
  const auto gateway = std::make_shared<std::string>();
  CLI::App* command = AddWithGateway(
      app, "versions", "A gateway's versions, newest first: entities created (+), updated (~), deleted (-)", *gateway);
  command->callback([&cli, gateway] { cli.command = [&cli, gateway] { return Versions(cli, *gateway); }; });

  const auto diff = std::make_shared<DiffFlags>();
  command = AddWithGateway(
      app, "diff", "What apply would change, or what changed between two versions; exit code 2 where something differs",
      diff->gateway);
  CLI::Option* file = command->add_option("-f,--file", diff->file, "YAML or JSON file; - reads standard input");
  command->add_option("--from", diff->from, "Version; the one before --to where left out")
      ->check(CLI::PositiveNumber)
      ->excludes(file);
  command->add_option("--to", diff->to, "Version; the latest where left out")
      ->check(CLI::PositiveNumber)
      ->excludes(file);
  command->callback([&cli, diff] { cli.command = [&cli, diff] { return Diff(cli, *diff); }; });

  const auto rollback = std::make_shared<RollbackFlags>();
  command = AddWithGateway(app, "rollback", "Make a new version with what an earlier one had; plan and hosts stay",
                           rollback->gateway);
  command->add_option("VERSION", rollback->version, "Its number; `sluice versions` lists them")
      ->required()
      ->check(CLI::PositiveNumber);
  rollback->write.AddMessageTo(*command);
  rollback->write.AddIfVersionTo(*command);
  rollback->write.AddTo(*command);
  command->callback([&cli, rollback] { cli.command = [&cli, rollback] { return Rollback(cli, *rollback); }; });
}

}  // namespace sluice::cli
