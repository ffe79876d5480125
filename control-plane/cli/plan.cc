// sluice plan set | get | list

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/yaml_writer.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using config::v1::Plan;
using schema::Cat;

struct PlanFlags {
  std::string name;
  std::optional<uint32_t> requests_per_second;
  std::optional<uint64_t> max_body_bytes;
  std::optional<uint32_t> max_requests_in_flight;
  std::optional<uint32_t> max_upstream_connections;
  std::optional<uint32_t> max_pending_per_target;
  std::optional<uint64_t> max_buffered_bytes;
  std::optional<bool> plugin_restrictions;
  std::vector<std::string> allow_plugins;
  std::vector<std::string> egress_allow;
  bool dry_run = false;
};

void Show(Cli& cli, const Plan& plan) {
  if (!cli.output.Structured(plan)) cli.output.Data(WriteYaml(ToStruct(plan)));
}

absl::Status Fetch(Cli& cli, const std::string& name, Plan& plan) {
  admin::v1::GetPlanRequest request;
  request.set_name(name);
  return cli.Call("Plans/GetPlan", request, plan);
}

void Change(const PlanFlags& flags, Plan& plan) {
  if (flags.requests_per_second) plan.set_requests_per_second(*flags.requests_per_second);
  if (flags.max_body_bytes) plan.set_max_body_bytes(*flags.max_body_bytes);
  if (flags.max_requests_in_flight) plan.set_max_requests_in_flight(*flags.max_requests_in_flight);
  if (flags.max_upstream_connections) plan.set_max_upstream_connections(*flags.max_upstream_connections);
  if (flags.max_pending_per_target) plan.set_max_pending_per_target(*flags.max_pending_per_target);
  if (flags.max_buffered_bytes) plan.set_max_buffered_bytes(*flags.max_buffered_bytes);
  if (flags.plugin_restrictions) plan.set_plugin_restrictions(*flags.plugin_restrictions);
  if (!flags.allow_plugins.empty()) plan.clear_allow_plugins();
  if (!flags.egress_allow.empty()) plan.clear_egress_allow();
  for (const std::string& plugin : flags.allow_plugins) {
    if (!plugin.empty()) plan.add_allow_plugins(plugin);
  }
  for (const std::string& range : flags.egress_allow) {
    if (!range.empty()) plan.add_egress_allow(range);
  }
}

// What is not said stays as it is; a new plan starts from serverless.
int Set(Cli& cli, const PlanFlags& flags) {
  admin::v1::SetPlanRequest request;
  Plan& plan = *request.mutable_plan();
  absl::Status status = Fetch(cli, flags.name, plan);
  if (absl::IsNotFound(status)) status = Fetch(cli, "serverless", plan);
  if (!status.ok()) return cli.output.Fail(status);
  plan.set_name(flags.name);
  Change(flags, plan);
  request.set_validate_only(flags.dry_run);
  Plan stored;
  status = cli.Call("Plans/SetPlan", request, stored);
  if (!status.ok()) return cli.output.Fail(status);
  Show(cli, stored);
  cli.output.Note(flags.dry_run
                      ? Cat("dry run: plan ", flags.name, " can be set; every gateway on it stays valid")
                      : Cat("plan ", flags.name, " is set; every gateway on it takes it over as a new version"));
  return kOk;
}

int Get(Cli& cli, const std::string& name) {
  Plan plan;
  if (const absl::Status status = Fetch(cli, name, plan); !status.ok()) return cli.output.Fail(status);
  Show(cli, plan);
  return kOk;
}

int List(Cli& cli) {
  admin::v1::ListPlansResponse response;
  const absl::Status status = cli.Call("Plans/ListPlans", admin::v1::ListPlansRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  const auto limit = [](uint64_t value) { return value == 0 ? std::string("none") : std::to_string(value); };
  std::vector<std::vector<std::string>> rows;
  for (const Plan& plan : response.plans()) {
    rows.push_back({plan.name(), limit(plan.requests_per_second()), limit(plan.max_body_bytes()),
                    std::to_string(plan.max_requests_in_flight()), plan.plugin_restrictions() ? "yes" : "no",
                    schema::JoinText(plan.egress_allow(), ", ")});
  }
  cli.output.Table({"PLAN", "REQUESTS/S", "BODY BYTES", "IN FLIGHT", "RESTRICTED", "EGRESS"}, rows);
  return kOk;
}

}  // namespace

void AddPlanCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("plan", "Set, show and list plans: named limits of gateways");

  const auto set = std::make_shared<PlanFlags>();
  CLI::App* command = group->add_subcommand("set", "Create or change a plan; what is left out stays as it is");
  command->add_option("NAME", set->name)->required();
  command->add_option("--requests-per-second", set->requests_per_second, "All nodes together; 0: no limit");
  command->add_option("--max-body-bytes", set->max_body_bytes, "Of a request; 0: no limit");
  command->add_option("--max-requests-in-flight", set->max_requests_in_flight, "On one node");
  command->add_option("--max-upstream-connections", set->max_upstream_connections, "On one node");
  command->add_option("--max-pending-per-target", set->max_pending_per_target, "On one node");
  command->add_option("--max-buffered-bytes", set->max_buffered_bytes, "On one node");
  command->add_option("--plugin-restrictions", set->plugin_restrictions, "true or false");
  command->add_option("--allow-plugins", set->allow_plugins, "Allowed despite the restrictions; \"\" for none")
      ->delimiter(',');
  command->add_option("--egress-allow", set->egress_allow, "CIDR[:port[-port]] beyond public addresses; \"\" for none")
      ->delimiter(',');
  command->add_flag("--dry-run", set->dry_run, "Check and show what it would be");
  command->callback([&cli, set] { cli.command = [&cli, set] { return Set(cli, *set); }; });

  const auto name = std::make_shared<std::string>();
  command = group->add_subcommand("get", "Show a plan");
  command->add_option("NAME", *name)->required();
  command->callback([&cli, name] { cli.command = [&cli, name] { return Get(cli, *name); }; });

  command = group->add_subcommand("list", "Every plan");
  command->callback([&cli] { cli.command = [&cli] { return List(cli); }; });
}

}  // namespace sluice::cli
