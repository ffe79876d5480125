// versions, diff, rollback and watch, and the flags of what changes something.

#include "sluice/admin/v1/admin.pb.h"
#include "tests/control-plane/cli/shell.h"

using namespace sluice;
using test::Shell;

namespace {

// The same three changes in either answer.
template <typename Response>
std::string Changes() {
  Response response;
  const auto add = [&](admin::v1::Change::Action action, const char* name) -> admin::v1::Change& {
    admin::v1::Change& change = *response.add_changes();
    change.set_action(action);
    change.set_kind("service");
    change.set_name(name);
    return change;
  };
  add(admin::v1::Change::CREATE, "new");
  admin::v1::FieldChange& field = *add(admin::v1::Change::UPDATE, "slow").add_fields();
  field.set_field("retries");
  field.set_before("5");
  field.set_after("1");
  add(admin::v1::Change::DELETE, "old");
  return response.SerializeAsString();
}

const std::string kShown = "+ service new\n~ service slow\n    retries: 5 -> 1\n- service old\n";

std::string Gateway(int64_t version, std::initializer_list<const char*> applied,
                    std::initializer_list<const char*> pending) {
  admin::v1::Gateway gateway;
  gateway.set_version(version);
  for (const char* node : applied) gateway.mutable_rollout()->add_applied(node);
  for (const char* node : pending) gateway.mutable_rollout()->add_pending(node);
  return gateway.SerializeAsString();
}

}  // namespace

TEST_CASE("versions shows what each changed, and nothing where it is not known") {
  Shell shell;
  admin::v1::ListVersionsResponse versions;
  admin::v1::Version& two = *versions.add_versions();
  two.set_version(2);
  two.set_author("ann");
  two.set_message("why");
  two.mutable_changes()->set_created(3);
  versions.add_versions()->set_version(1);
  shell.client.answers["Configs/ListVersions"] = versions.SerializeAsString();
  CHECK(shell.Run({"versions", "-g", "shop"}) == 0);
  CHECK(shell.out ==
        "VERSION  TIME                  AUTHOR  CHANGES   BYTES  MESSAGE\n"
        "2        1970-01-01T00:00:00Z  ann     +3 ~0 -0  0      why\n"
        "1        1970-01-01T00:00:00Z                    0\n");
}

TEST_CASE("a diff of two versions reads as a diff with a file") {
  Shell shell;
  shell.client.answers["Configs/DiffVersions"] = Changes<admin::v1::DiffVersionsResponse>();
  CHECK(shell.Run({"diff", "-g", "shop", "--from", "3", "--to", "5"}) == 2);
  CHECK(shell.client.last == R"(gateway: "shop" from: 3 to: 5)");
  CHECK(shell.out == kShown);
}

TEST_CASE("a diff without the one version means the one before, or the latest") {
  Shell shell;
  CHECK(shell.Run({"diff", "-g", "shop", "--to", "5"}) == 0);
  CHECK(shell.client.last == R"(gateway: "shop" from: 4 to: 5)");
  CHECK(shell.Run({"diff", "-g", "shop", "--from", "3"}) == 0);
  CHECK(shell.client.last == R"(gateway: "shop" from: 3)");
  CHECK(shell.Run({"diff", "-g", "shop", "--to", "1"}) == 64);
  CHECK(shell.err.find("version 1 is the first") != std::string::npos);
}

TEST_CASE("a diff of nothing, of both, or of no number is wrong usage") {
  Shell shell;
  CHECK(shell.Run({"diff", "-g", "shop"}) == 64);
  CHECK(shell.err.find("Give -f FILE, or --from VERSION") != std::string::npos);
  CHECK(shell.Run({"diff", "-g", "shop", "-f", "-", "--to", "5"}) == 64);
  CHECK(shell.Run({"diff", "-g", "shop", "--to", "0"}) == 64);
  CHECK(shell.client.methods.empty());
}

TEST_CASE("a diff has colour where data goes to a terminal") {
  Shell shell;
  shell.client.answers["Configs/DiffVersions"] = Changes<admin::v1::DiffVersionsResponse>();
  shell.Run({"diff", "-g", "shop", "--to", "5"}, true);
  CHECK(shell.out ==
        "\x1b[32m+ service new\x1b[0m\n\x1b[33m~ service slow\x1b[0m\n    retries: 5 -> 1\n"
        "\x1b[31m- service old\x1b[0m\n");
}

TEST_CASE("a diff as JSON is the answer, without colour") {
  Shell shell;
  shell.client.answers["Configs/DiffVersions"] = Changes<admin::v1::DiffVersionsResponse>();
  CHECK(shell.Run({"diff", "-g", "shop", "--to", "5", "-o", "json"}, true) == 2);
  CHECK(shell.out.starts_with("{\n"));
  CHECK(shell.out.find("\"action\": \"UPDATE\"") != std::string::npos);
  CHECK(shell.out.find('\x1b') == std::string::npos);
}

TEST_CASE("a rollback sends its version and shows what changed") {
  Shell shell;
  shell.client.answers["Configs/Rollback"] = Changes<admin::v1::ApplyConfigResponse>();
  CHECK(shell.Run({"rollback", "-g", "shop", "3", "-m", "bad day", "--if-version", "7"}) == 0);
  CHECK(shell.client.last == R"(gateway: "shop" version: 3 message: "bad day" etag: "7")");
  CHECK(shell.out == kShown);
  CHECK(shell.err == "shop is at version 0 (3 changes)\n");
  CHECK(shell.Run({"rollback", "-g", "shop"}) == 64);
  CHECK(shell.Run({"rollback", "-g", "shop", "0"}) == 64);
}

TEST_CASE("what was waited for names the nodes that serve it, five of them at most") {
  Shell shell;
  admin::v1::ApplyConfigResponse response;
  response.set_version(4);
  shell.client.answers["Configs/Rollback"] = response.SerializeAsString();
  shell.Run({"rollback", "-g", "shop", "3", "--wait"});
  CHECK(shell.err == "nothing to change: shop is at version 4; no node is connected that could serve it\n");
  for (int i = 1; i <= 7; ++i) response.mutable_rollout()->add_applied("n" + std::to_string(i));
  shell.client.answers["Configs/Rollback"] = response.SerializeAsString();
  shell.Run({"rollback", "-g", "shop", "3", "--wait"});
  CHECK(shell.err == "nothing to change: shop is at version 4, live on n1, n2, n3, n4, n5 and 2 more\n");
}

TEST_CASE("every change of a configuration takes the version it was made from, a request id and a dry run") {
  Shell shell;
  shell.input = "name: a\n";
  const std::vector<std::string> flags = {"--if-version", "7", "--request-id", "r1", "--dry-run"};
  const std::vector<std::vector<std::string>> commands = {{"entity", "put", "service", "-g", "shop"},
                                                          {"entity", "delete", "service", "a", "-g", "shop"},
                                                          {"apply", "-g", "shop", "-f", "-"},
                                                          {"rollback", "3", "-g", "shop"},
                                                          {"gateway", "delete", "shop"}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), flags.begin(), flags.end());
    INFO(command[0] << " " << command[1]);
    CHECK(shell.Run(command) == 0);
    CHECK(shell.client.last.find("etag: \"7\"") != std::string::npos);
    CHECK(shell.client.last.find("request_id: \"r1\"") != std::string::npos);
    const bool trial = shell.client.last.find("validate_only: true") != std::string::npos ||
                       shell.client.last.find("dry_run: true") != std::string::npos;
    CHECK(trial);
    CHECK(shell.err.starts_with("dry run: "));
  }
}

TEST_CASE("a gateway can be created in a dry run, too") {
  Shell shell;
  CHECK(shell.Run({"gateway", "create", "shop", "--dry-run"}) == 0);
  CHECK(shell.client.last == R"(name: "shop" validate_only: true)");
  CHECK(shell.err == "dry run: gateway shop can be created\n");
}

TEST_CASE("a plan can be tried, too") {
  Shell shell;
  CHECK(shell.Run({"plan", "set", "big", "--dry-run"}) == 0);
  CHECK(shell.client.last == R"(plan { name: "big" } validate_only: true)");
  CHECK(shell.err == "dry run: plan big can be set; every gateway on it stays valid\n");
}

TEST_CASE("a watch prints a line at every change, and ends with the error that ended it") {
  Shell shell;
  shell.client.streamed = {Gateway(5, {"n1"}, {"n2", "n3"}), Gateway(5, {"n1", "n2", "n3"}, {})};
  shell.client.status = absl::NotFoundError("no gateway 'shop'; it was deleted");
  CHECK(shell.Run({"gateway", "watch", "shop"}) == 3);
  CHECK(shell.client.methods == std::vector<std::string>{"Gateways/WatchGateway"});
  CHECK(shell.out == "version 5  live 1/3  pending on n2, n3\nversion 5  live 3/3\n");
  CHECK(shell.err == "sluice: error: no gateway 'shop'; it was deleted\n");
}

TEST_CASE("a watch names who refused, and why") {
  Shell shell;
  admin::v1::Gateway gateway;
  gateway.set_version(2);
  admin::v1::Rejection& rejection = *gateway.mutable_rollout()->add_rejected();
  rejection.set_node("n1");
  rejection.set_reason("LOCAL_AGENT");
  rejection.set_message("no agent\nhere");
  shell.client.streamed = {gateway.SerializeAsString()};
  CHECK(shell.Run({"gateway", "watch", "shop"}) == 0);
  CHECK(shell.out == "version 2  live 0/1  rejected by n1 (LOCAL_AGENT: no agent here)\n");
}

TEST_CASE("a watch as JSON is one object after the other") {
  Shell shell;
  shell.client.streamed = {Gateway(5, {}, {}), Gateway(6, {}, {})};
  CHECK(shell.Run({"gateway", "watch", "shop", "-o", "json"}) == 0);
  CHECK(shell.out.find("\"version\": 5") < shell.out.find("\"version\": 6"));
  CHECK(shell.out.find("}\n{") != std::string::npos);
}
