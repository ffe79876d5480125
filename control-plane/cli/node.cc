// sluice nodes, or node: who there is, who may join, and who may not any more.

#include <charconv>
#include <map>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/secret_file.h"
#include "google/protobuf/util/time_util.h"
#include "sluice/admin/v1/nodes.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

constexpr uint32_t kMaxTtlCount = 1'000'000;  // of any unit; the server says how long a token may be good for

std::string TimeText(google::protobuf::Timestamp time) {
  time.set_nanos(0);
  return google::protobuf::util::TimeUtil::ToString(time);
}

int List(Cli& cli) {
  admin::v1::ListNodesResponse response;
  const absl::Status status = cli.Call("Nodes/ListNodes", admin::v1::ListNodesRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::Node& node : response.nodes()) {
    const std::string applied = node.connected() ? Cat(node.applied_revision(), "/", response.head_revision()) : "";
    rows.push_back({node.name(), node.connected() ? "yes" : "no", node.scope(), applied,
                    std::to_string(node.rejections_size()), node.build(), node.address(),
                    TimeText(node.last_seen_time())});
  }
  cli.output.Table({"NODE", "CONNECTED", "SCOPE", "APPLIED", "REJECTED", "BUILD", "ADDRESS", "SEEN"}, rows);
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

int Revoke(Cli& cli, const std::string& name) {
  admin::v1::RevokeNodeRequest request;
  request.set_name(name);
  admin::v1::RevokeNodeResponse response;
  const absl::Status status = cli.Call("Nodes/RevokeNode", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  cli.output.Note(Cat("node ", name, " is refused from now on; it serves on what it has until it is stopped. ",
                      "`sluice nodes remove ", name, "` then gives its part of every limit to the others"));
  return kOk;
}

// "90s", "30m", "1h"; false: none of them.
bool ParseTtl(const std::string& text, uint32_t& seconds) {
  static const std::map<char, uint32_t> kUnits = {{'s', 1}, {'m', 60}, {'h', 3600}};
  uint32_t count = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, count);
  if (error != std::errc() || end + 1 != last || !kUnits.contains(*end)) return false;
  if (count == 0 || count > kMaxTtlCount) return false;
  seconds = count * kUnits.at(*end);
  return true;
}

struct TokenFlags {
  std::string ttl = "1h";
  std::string cell;
  std::string gateway;
  std::string file;
};

int CreateToken(Cli& cli, const TokenFlags& flags) {
  admin::v1::CreateJoinTokenRequest request;
  uint32_t seconds = 0;
  if (!ParseTtl(flags.ttl, seconds)) return cli.output.Fail("--ttl is a time, for example 90s, 30m or 1h", kUsage);
  request.set_ttl_seconds(seconds);
  request.set_cell(flags.cell);
  request.set_gateway(flags.gateway);
  admin::v1::CreateJoinTokenResponse response;
  const int written = WriteSecret(cli, flags.file, [&]() -> absl::StatusOr<std::string> {
    const absl::Status status = cli.Call("Nodes/CreateJoinToken", request, response);
    if (!status.ok()) return status;
    return response.token();
  });
  if (written != kOk) return written;
  cli.output.Note(Cat("join token ", response.id(), " is in ", flags.file, ", good for one node until ",
                      TimeText(response.expire_time()), ": sluice-data-plane --join-token-file ", flags.file));
  return kOk;
}

int ListTokens(Cli& cli) {
  admin::v1::ListJoinTokensResponse response;
  const absl::Status status = cli.Call("Nodes/ListJoinTokens", admin::v1::ListJoinTokensRequest(), response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const admin::v1::JoinToken& token : response.tokens()) {
    rows.push_back({token.id(), token.scope(), token.author(), TimeText(token.expire_time()), token.node()});
  }
  cli.output.Table({"ID", "SCOPE", "AUTHOR", "EXPIRES", "USED BY"}, rows);
  return kOk;
}

int RevokeToken(Cli& cli, const std::string& id) {
  admin::v1::RevokeJoinTokenRequest request;
  request.set_id(id);
  admin::v1::RevokeJoinTokenResponse response;
  const absl::Status status = cli.Call("Nodes/RevokeJoinToken", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (!cli.output.Structured(response)) cli.output.Note(Cat("join token ", id, " is good for nothing any more"));
  return kOk;
}

// A command with one argument.
void AddNamed(CLI::App& group, Cli& cli, const char* argument, const char* help,
              int (*run)(Cli&, const std::string&)) {
  const auto value = std::make_shared<std::string>();
  group.add_option(argument, *value, help)->required();
  group.callback([&cli, value, run] { cli.command = [&cli, value, run] { return run(cli, *value); }; });
}

void AddTokenGroup(CLI::App& nodes, Cli& cli) {
  CLI::App* group = nodes.add_subcommand("token", "Tokens that nodes join with");
  const auto flags = std::make_shared<TokenFlags>();
  CLI::App* create = group->add_subcommand("create", "Make a token for one node and write it to a new file");
  create->add_option("--ttl", flags->ttl, "How long it is good for, at most 24h")->capture_default_str();
  auto* cell = create->add_option("--cell", flags->cell, "Of the platform's nodes (default: default)");
  create->add_option("-g,--gateway", flags->gateway, "The self-managed gateway that the node is to serve")
      ->excludes(cell);
  create->add_option("--file", flags->file, "Where to write it; must not exist")->required();
  create->callback([&cli, flags] { cli.command = [&cli, flags] { return CreateToken(cli, *flags); }; });
  CLI::App* list = group->add_subcommand("list", "Tokens of the last day, and who used them");
  list->callback([&cli] { cli.command = [&cli] { return ListTokens(cli); }; });
  AddNamed(*group->add_subcommand("revoke", "Make a token good for nothing"), cli, "ID",
           "as in `sluice node token list`", RevokeToken);
}

}  // namespace

void AddNodeCommands(CLI::App& app, Cli& cli) {
  CLI::App* command = app.add_subcommand("nodes", "Data-plane nodes: who is connected, and how far each has got");
  command->alias("node");
  command->callback([&cli, command] {
    if (command->get_subcommands().empty()) cli.command = [&cli] { return List(cli); };
  });
  AddNamed(*command->add_subcommand("remove", "Give up a node that will never serve again"), cli, "NAME",
           "as in `sluice nodes`", Remove);
  AddNamed(*command->add_subcommand("revoke", "Refuse a node's certificate from now on"), cli, "NAME",
           "as in `sluice nodes`", Revoke);
  AddTokenGroup(*command, cli);
}

}  // namespace sluice::cli
