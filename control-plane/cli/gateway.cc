// sluice gateway create | list | get | watch | delete

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/write_flags.h"

namespace sluice::cli {

namespace {

using admin::v1::Gateway;
using schema::Cat;

constexpr int kHttpPort = 8000;  // where nodes listen unless told otherwise

std::string Url(const std::string& host) { return Cat("http://", host, ":", kHttpPort, "/"); }

std::string KindText(config::v1::GatewayKind kind) {
  return kind == config::v1::SELF_MANAGED ? "self-managed" : "serverless";
}

std::string LiveText(const admin::v1::Rollout& rollout) {
  return Cat(rollout.applied_size(), "/", rollout.applied_size() + rollout.pending_size() + rollout.rejected_size());
}

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& words) {
  return schema::JoinText(words, ", ");
}

void ShowOne(Cli& cli, const Gateway& gateway) {
  std::vector<std::vector<std::string>> rows = {
      {"id", gateway.id()},
      {"kind", KindText(gateway.kind())},
      {"plan", gateway.plan()},
      {"version", std::to_string(gateway.version())},
      {"revision", std::to_string(gateway.revision())},
      {"live on", Joined(gateway.rollout().applied())},
      {"pending on", Joined(gateway.rollout().pending())},
  };
  if (!gateway.cell().empty()) rows.push_back({"cell", gateway.cell()});
  if (!gateway.moving_to().empty()) rows.push_back({"moving to", gateway.moving_to()});
  if (!gateway.address().empty()) rows.push_back({"address", gateway.address()});
  for (const std::string& host : gateway.hosts()) rows.push_back({"url", Url(host)});
  for (const admin::v1::Rejection& one : gateway.rollout().rejected()) {
    rows.push_back({"rejected by", Cat(one.node(), ": ", one.reason(), ": ", one.message())});
  }
  cli.output.Table({"name", gateway.name()}, rows);
}

struct CreateFlags {
  std::string name;
  std::string plan;
  bool self_managed = false;
  WriteFlags write;
};

int Create(Cli& cli, const CreateFlags& flags) {
  admin::v1::CreateGatewayRequest request;
  request.set_name(flags.name);
  request.set_plan(flags.plan);
  if (flags.self_managed) request.set_kind(config::v1::SELF_MANAGED);
  flags.write.Fill(request);
  Gateway gateway;
  const absl::Status status = cli.Call("Gateways/CreateGateway", request, gateway, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(gateway)) return kOk;
  if (flags.write.dry_run) {
    cli.output.Note(Cat("dry run: gateway ", flags.name, " can be created"));
    return kOk;
  }
  for (const std::string& host : gateway.hosts()) cli.output.Data(Cat(host, "\n"));
  const std::string& best = gateway.hosts(gateway.hosts_size() - 1);
  cli.output.Data(Cat("curl ", Url(best), "\n"));
  cli.output.Note(Cat("gateway ", gateway.name(), flags.write.wait ? " is live" : " was created",
                      "; next: sluice apply -g ", gateway.name(), " -f FILE"));
  return kOk;
}

int List(Cli& cli) {
  admin::v1::ListGatewaysRequest request;
  request.set_page_size(1000);
  admin::v1::ListGatewaysResponse all;
  do {
    admin::v1::ListGatewaysResponse page;
    if (const absl::Status status = cli.Call("Gateways/ListGateways", request, page); !status.ok())
      return cli.output.Fail(status);
    all.mutable_gateways()->MergeFrom(page.gateways());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (cli.output.Structured(all)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Gateway& gateway : all.gateways()) {
    rows.push_back({gateway.name(), KindText(gateway.kind()), gateway.plan(), std::to_string(gateway.version()),
                    LiveText(gateway.rollout()), Joined(gateway.hosts())});
  }
  cli.output.Table({"NAME", "KIND", "PLAN", "VERSION", "LIVE", "HOSTS"}, rows);
  return kOk;
}

int Get(Cli& cli, const std::string& name) {
  admin::v1::GetGatewayRequest request;
  request.set_gateway(name);
  Gateway gateway;
  if (const absl::Status status = cli.Call("Gateways/GetGateway", request, gateway); !status.ok())
    return cli.output.Fail(status);
  if (!cli.output.Structured(gateway)) ShowOne(cli, gateway);
  return kOk;
}

// "version 5  live 2/3  pending on node-3"
void ShowLine(Cli& cli, const Gateway& gateway) {
  const admin::v1::Rollout& rollout = gateway.rollout();
  std::string line = Cat("version ", gateway.version(), "  live ", LiveText(rollout));
  if (!rollout.pending().empty()) line += Cat("  pending on ", Joined(rollout.pending()));
  for (const admin::v1::Rejection& one : rollout.rejected()) {
    line += Cat("  rejected by ", one.node(), " (", one.reason(), ": ", one.message(), ")");
  }
  cli.output.Data(Printable(line) + "\n");
}

int Watch(Cli& cli, const std::string& name) {
  admin::v1::GetGatewayRequest request;
  request.set_gateway(name);
  Gateway gateway;
  const absl::Status status = cli.Stream("Gateways/WatchGateway", request, gateway, [&] {
    if (cli.output.format == Format::kYaml) cli.output.Data("---\n");
    if (!cli.output.Structured(gateway)) ShowLine(cli, gateway);
    return static_cast<bool>(cli.environment.out.flush());
  });
  return status.ok() ? kOk : cli.output.Fail(status);
}

struct DeleteFlags {
  std::string name;
  bool yes = false;
  WriteFlags write;
};

int Delete(Cli& cli, const DeleteFlags& flags) {
  if (!flags.yes && !flags.write.dry_run) {
    if (!cli.environment.interactive) {
      return cli.output.Fail(Cat("deleting ", flags.name, " cannot be undone; say --yes where nobody can be asked"),
                             kUsage);
    }
    cli.environment.err << "Delete the gateway " << Printable(flags.name)
                        << " and its whole configuration? This cannot be undone. Type its name: " << std::flush;
    std::string typed;
    std::getline(cli.environment.in, typed);
    if (typed != flags.name) return cli.output.Fail("nothing was deleted", kError);
  }
  admin::v1::DeleteGatewayRequest request;
  request.set_gateway(flags.name);
  flags.write.Fill(request);
  admin::v1::DeleteGatewayResponse response;
  const absl::Status status = cli.Call("Gateways/DeleteGateway", request, response, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status);
  cli.output.Note(flags.write.dry_run ? Cat("dry run: gateway ", flags.name, " can be deleted")
                                      : Cat("gateway ", flags.name, " was deleted"));
  return kOk;
}

}  // namespace

void AddGatewayCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("gateway", "Create, list, show and delete gateways");

  const auto create = std::make_shared<CreateFlags>();
  CLI::App* command = group->add_subcommand("create", "Create a gateway and print its host names");
  command->add_option("NAME", create->name, "1 to 63 of a-z, 0-9 and -")->required();
  command->add_option("--plan", create->plan, "Named limits; serverless where left out");
  command->add_flag("--self-managed", create->self_managed, "For nodes that you run yourself");
  create->write.AddTo(*command);
  command->callback([&cli, create] { cli.command = [&cli, create] { return Create(cli, *create); }; });

  command = group->add_subcommand("list", "Every gateway, and on how many connected nodes its latest version is live");
  command->callback([&cli] { cli.command = [&cli] { return List(cli); }; });

  const auto name = std::make_shared<std::string>();
  command = group->add_subcommand("get", "One gateway: hosts, version, and what nodes say of it");
  command->add_option("NAME", *name, "Name or id")->required();
  command->callback([&cli, name] { cli.command = [&cli, name] { return Get(cli, *name); }; });

  const auto watched = std::make_shared<std::string>();
  command = group->add_subcommand("watch", "Its version and where it is live, at every change, until interrupted");
  command->add_option("NAME", *watched, "Name or id")->required();
  command->callback([&cli, watched] { cli.command = [&cli, watched] { return Watch(cli, *watched); }; });

  const auto remove = std::make_shared<DeleteFlags>();
  command = group->add_subcommand("delete", "Delete a gateway and its configuration");
  command->add_option("NAME", remove->name, "Name or id")->required();
  command->add_flag("--yes", remove->yes, "Do not ask");
  remove->write.AddIfVersionTo(*command);
  remove->write.AddTo(*command);
  command->callback([&cli, remove] { cli.command = [&cli, remove] { return Delete(cli, *remove); }; });
}

}  // namespace sluice::cli
