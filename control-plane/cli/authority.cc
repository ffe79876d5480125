// sluice authority | authority rotate | authority retire

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "google/protobuf/util/time_util.h"
#include "sluice/admin/v1/nodes.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

int List(Cli& cli) {
  admin::v1::ListAuthoritiesResponse response;
  const absl::Status status = cli.Call("Authorities/ListAuthorities", admin::v1::ListAuthoritiesRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::Authority& authority : response.authorities()) {
    google::protobuf::Timestamp made = authority.create_time();
    made.set_nanos(0);
    rows.push_back({authority.id(), google::protobuf::util::TimeUtil::ToString(made),
                    authority.signs_nodes() ? "yes" : "no", std::to_string(authority.nodes())});
  }
  cli.output.Table({"AUTHORITY", "MADE", "SIGNS NODES", "NODES"}, rows);
  return kOk;
}

int Rotate(Cli& cli) {
  admin::v1::RotateAuthorityResponse response;
  const absl::Status status = cli.Call("Authorities/RotateAuthority", admin::v1::RotateAuthorityRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  cli.output.Note(Cat("authority ", response.id(), " signs nodes' certificates from now on; the one before stays ",
                      "trusted. When `sluice authority` shows no node with it any more: sluice authority retire"));
  return kOk;
}

int Retire(Cli& cli, bool force) {
  admin::v1::RetireAuthorityRequest request;
  request.set_force(force);
  admin::v1::RetireAuthorityResponse response;
  const absl::Status status = cli.Call("Authorities/RetireAuthority", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) cli.output.Note(Cat("authority ", response.id(), " is trusted no more"));
  return kOk;
}

}  // namespace

void AddAuthorityCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("authority", "Who signs the certificates of nodes and of their port");
  group->callback([&cli, group] {
    if (group->get_subcommands().empty()) cli.command = [&cli] { return List(cli); };
  });
  CLI::App* rotate = group->add_subcommand("rotate", "Make the next one; both are trusted until retire");
  rotate->callback([&cli] { cli.command = [&cli] { return Rotate(cli); }; });
  CLI::App* retire = group->add_subcommand("retire", "End the trust in the older one");
  const auto force = std::make_shared<bool>(false);
  retire->add_flag("--force", *force, "Also where nodes hold certificates of it, which must join again then");
  retire->callback([&cli, force] { cli.command = [&cli, force] { return Retire(cli, *force); }; });
}

}  // namespace sluice::cli
