#include "control-plane/cli/run.h"

#include <fstream>

#include "google/rpc/error_details.pb.h"
#include "sluice/admin/v1/admin.pb.h"
#include "tests/control-plane/cli/shell.h"

using namespace sluice;
using test::Shell;

namespace {

absl::Status WithDetail(absl::Status status, const google::protobuf::Message& detail) {
  status.SetPayload("type.googleapis.com/" + detail.GetDescriptor()->full_name(),
                    absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status OneViolation(const std::string& field, const std::string& message) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field(field);
  bad.mutable_field_violations(0)->set_description(message);
  return WithDetail(absl::InvalidArgumentError(message), bad);
}

std::string Gateway() {
  admin::v1::Gateway gateway;
  gateway.set_name("shop");
  gateway.add_hosts("0123456789.gw.localhost");
  gateway.add_hosts("shop.gw.localhost");
  gateway.set_version(3);
  return gateway.SerializeAsString();
}

}  // namespace

TEST_CASE("creating a gateway prints its hosts and the curl line, and says the rest on standard error") {
  Shell shell;
  shell.client.answers["Gateways/CreateGateway"] = Gateway();
  CHECK(shell.Run({"gateway", "create", "shop", "--wait"}) == 0);
  CHECK(shell.out == "0123456789.gw.localhost\nshop.gw.localhost\ncurl http://shop.gw.localhost:8000/\n");
  CHECK(shell.err == "gateway shop is live; next: sluice apply -g shop -f FILE\n");
  CHECK(shell.client.last == "name: \"shop\" wait { timeout_ms: 10000 }");
}

TEST_CASE("quiet leaves messages out but not data") {
  Shell shell;
  shell.client.answers["Gateways/CreateGateway"] = Gateway();
  CHECK(shell.Run({"-q", "gateway", "create", "shop"}) == 0);
  CHECK_FALSE(shell.out.empty());
  CHECK(shell.err.empty());
}

TEST_CASE("JSON has numbers as numbers, wherever -o stands") {
  Shell shell;
  shell.client.answers["Gateways/GetGateway"] = Gateway();
  CHECK(shell.Run({"gateway", "get", "shop", "-o", "json"}) == 0);
  CHECK(shell.out.find("\"version\": 3") != std::string::npos);
}

TEST_CASE("a list is a table whose columns line up") {
  Shell shell;
  admin::v1::ListPlansResponse plans;
  plans.add_plans()->set_name("serverless");
  plans.mutable_plans(0)->set_requests_per_second(100);
  shell.client.answers["Plans/ListPlans"] = plans.SerializeAsString();
  CHECK(shell.Run({"plan", "list"}) == 0);
  CHECK(shell.out ==
        "PLAN        REQUESTS/S  BODY BYTES  IN FLIGHT  RESTRICTED  EGRESS\n"
        "serverless  100         none        0          no\n");
}

TEST_CASE("control characters of data do not reach the terminal") {
  Shell shell;
  admin::v1::ListPlansResponse plans;
  plans.add_plans()->set_name("a\x1b[31m");
  shell.client.answers["Plans/ListPlans"] = plans.SerializeAsString();
  shell.Run({"plan", "list"});
  CHECK(shell.out.find('\x1b') == std::string::npos);
}

TEST_CASE("a mistake is shown with its file, line and column") {
  Shell shell;
  shell.input = "services:\n- name: a\n  routes:\n  - paths: [bad]\n";
  shell.client.status = OneViolation("services[0].routes[0].paths[0]", "must begin with /");
  CHECK(shell.Run({"apply", "-g", "shop", "-f", "-"}) == 1);
  CHECK(shell.err ==
        "stdin:4:13: services[0].routes[0].paths[0]: must begin with /\n"
        "sluice: error: nothing was changed; mistakes: 1\n");
}

TEST_CASE("colour is used only where it was allowed") {
  Shell shell;
  shell.client.status = absl::NotFoundError("no gateway 'x'");
  shell.Run({"gateway", "get", "x"}, true);
  CHECK(shell.err == "sluice: \x1b[31merror: \x1b[0mno gateway 'x'\n");
  shell.Run({"gateway", "get", "x"}, false);
  CHECK(shell.err == "sluice: error: no gateway 'x'\n");
}

TEST_CASE("the exit code says what kind of error it was") {
  Shell shell;
  const auto code = [&](absl::Status status) {
    shell.client.status = std::move(status);
    return shell.Run({"gateway", "get", "x"});
  };
  google::rpc::ErrorInfo pending;
  pending.set_reason("PENDING");
  CHECK(code(absl::InternalError("")) == 1);
  CHECK(code(absl::NotFoundError("")) == 3);
  CHECK(code(absl::UnauthenticatedError("")) == 4);
  CHECK(code(absl::PermissionDeniedError("")) == 4);
  CHECK(code(absl::DeadlineExceededError("")) == 1);
  CHECK(code(WithDetail(absl::DeadlineExceededError(""), pending)) == 5);
}

TEST_CASE("wrong usage is 64 and shows what helps") {
  Shell shell;
  CHECK(shell.Run({}) == 64);
  CHECK(shell.err.find("Subcommands:") != std::string::npos);
  CHECK(shell.Run({"gateway"}) == 64);
  CHECK(shell.err.find("create") != std::string::npos);
  CHECK(shell.Run({"nonsense"}) == 64);
  CHECK(shell.err.find("nonsense") != std::string::npos);
  CHECK(shell.Run({"apply", "-g", "shop", "-f", "-", "--wait", "--timeout", "301"}) == 64);
}

TEST_CASE("help and version are data and succeed") {
  Shell shell;
  CHECK(shell.Run({"--help"}) == 0);
  CHECK(shell.out.find("Exit codes:") != std::string::npos);
  CHECK(shell.Run({"--version"}) == 0);
  CHECK(shell.out == "0.1.0\n");
}

TEST_CASE("without a token nothing is sent") {
  Shell shell;
  shell.variables.erase("SLUICE_TOKEN");
  CHECK(shell.Run({"nodes"}) == 4);
  CHECK(shell.err.starts_with("sluice: error: no token: set SLUICE_TOKEN"));
  CHECK(shell.client.methods.empty());
}

TEST_CASE("diff is a dry run that exits with 2 where there are differences, and 0 where there are none") {
  Shell shell;
  shell.input = "_format_version: \"3.0\"\n";
  CHECK(shell.Run({"diff", "-g", "shop", "-f", "-"}) == 0);
  CHECK(shell.client.last.find("dry_run: true") != std::string::npos);
  admin::v1::ApplyConfigResponse response;
  response.add_changes()->set_action(admin::v1::Change::UPDATE);
  response.mutable_changes(0)->set_kind("route");
  response.mutable_changes(0)->set_name("r");
  response.mutable_changes(0)->add_fields()->set_field("paths[0]");
  response.mutable_changes(0)->mutable_fields(0)->set_after("\"/x\"");
  shell.client.answers["Configs/ApplyConfig"] = response.SerializeAsString();
  CHECK(shell.Run({"diff", "-g", "shop", "-f", "-"}) == 2);
  CHECK(shell.out == "~ route r\n    paths[0]: absent -> \"/x\"\n");
}

TEST_CASE("deleting asks for the name, and refuses where nobody can be asked") {
  Shell shell;
  CHECK(shell.Run({"gateway", "delete", "shop"}) == 64);
  shell.input = "shop\n";
  CHECK(shell.Run({"gateway", "delete", "shop"}, false, true) == 0);
  shell.input = "shoe\n";
  CHECK(shell.Run({"gateway", "delete", "shop"}, false, true) == 1);
  CHECK(shell.Run({"gateway", "delete", "shop", "--yes"}) == 0);
  CHECK(shell.client.methods.size() == 2);
}

TEST_CASE("a context is kept as paths and is weaker than the environment and flags") {
  Shell shell;
  std::filesystem::create_directories(shell.home);
  std::ofstream(shell.home / "token") << "from-file\n";
  CHECK(shell.Run({"context", "set", "--server", "a:1", "--token-file", (shell.home / "token").string()}) == 0);
  shell.variables.erase("SLUICE_TOKEN");
  shell.Run({"nodes"});
  CHECK(shell.target.server == "a:1");
  CHECK(shell.target.token == "from-file");
  shell.variables["SLUICE_SERVER"] = "b:2";
  shell.Run({"nodes"});
  CHECK(shell.target.server == "b:2");
  shell.Run({"nodes", "--server", "c:3"});
  CHECK(shell.target.server == "c:3");
}

TEST_CASE("a new token goes into a file of its owner's and nowhere else") {
  Shell shell;
  std::filesystem::create_directories(shell.home);
  const std::filesystem::path file = shell.home / "new";
  admin::v1::CreateTokenResponse response;
  response.set_token("slc_new");
  shell.client.answers["Access/CreateToken"] = response.SerializeAsString();
  CHECK(shell.Run({"token", "create", "ci", "--role", "operator", "--file", file.string()}) == 0);
  CHECK((shell.out + shell.err).find("slc_new") == std::string::npos);
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms(077)) == std::filesystem::perms::none);
  CHECK(shell.Run({"token", "create", "ci", "--role", "operator", "--file", file.string()}) == 1);
}

TEST_CASE("an entity is read from YAML by its schema, and mistakes are shown before anything is sent") {
  Shell shell;
  shell.input = "name: r\npaths: [/a]\n";
  CHECK(shell.Run({"entity", "put", "route", "-g", "shop"}) == 0);
  CHECK(shell.client.last == R"(gateway: "shop" entity { route { name: "r" paths: "/a" } })");
  shell.input = "name: r\npahts: [/a]\n";
  CHECK(shell.Run({"entity", "put", "route", "-g", "shop"}) == 1);
  CHECK(shell.err.starts_with("stdin:2:1: pahts: "));
  CHECK(shell.client.methods.size() == 1);
}

TEST_CASE("the server's mistakes about an entity are shown where they stand") {
  Shell shell;
  shell.input = "name: r\npaths: [/a]\n";
  shell.client.status = OneViolation("entity.route.paths[0]", "is taken");
  CHECK(shell.Run({"entity", "put", "route", "-g", "shop"}) == 1);
  CHECK(shell.err.starts_with("stdin:2:9: paths[0]: is taken\n"));
}

TEST_CASE("a changed plan keeps what was not said") {
  Shell shell;
  config::v1::Plan plan;
  plan.set_name("big");
  plan.set_requests_per_second(500);
  plan.set_max_body_bytes(9);
  plan.set_plugin_restrictions(true);
  shell.client.answers["Plans/GetPlan"] = plan.SerializeAsString();
  CHECK(shell.Run({"plan", "set", "big", "--max-body-bytes", "10", "--plugin-restrictions", "false"}) == 0);
  CHECK(shell.client.last == R"(plan { name: "big" requests_per_second: 500 max_body_bytes: 10 })");
}

TEST_CASE("completions name every command") {
  Shell shell;
  for (const char* name : {"bash", "zsh", "fish"}) {
    CHECK(shell.Run({"completion", name}) == 0);
    CHECK(shell.out.find("gateway create") != std::string::npos);
  }
  CHECK(shell.Run({"completion", "tcsh"}) == 64);
}

TEST_CASE("a token that no header can carry is refused here, and never shown") {
  for (const char* token : {"first-half\nsecond-half", "t\xc3\xb6ken", "two words"}) {
    Shell shell;
    shell.variables["SLUICE_TOKEN"] = token;
    CHECK(shell.Run({"gateway", "list"}) == 4);
    CHECK(shell.client.methods.empty());
    CHECK(shell.err.find("half") == std::string::npos);
    CHECK(shell.err.find("ken is") != std::string::npos);
  }
}

TEST_CASE("a context that cannot even be looked for is an error, not the end of the process") {
  Shell shell;
  shell.variables["HOME"] = "/" + std::string(300, 'a');
  CHECK(shell.Run({"gateway", "list"}) == 1);
  CHECK(shell.err.find("File name too long") != std::string::npos);
}

TEST_CASE("arguments and files that are not UTF-8 are named, and nothing is sent") {
  Shell shell;
  CHECK(shell.Run({"gateway", "get", "sh\xffp"}) == 64);
  CHECK(shell.err == "sluice: error: argument 3 is not UTF-8\n");
  shell.input = "_format_version: \"3.0\"\nservices:\n- name: sh\xffp\n";
  CHECK(shell.Run({"apply", "-g", "shop", "-f", "-"}) == 1);
  CHECK(shell.err == "sluice: error: stdin:3:9: this text is not UTF-8\n");
  CHECK(shell.client.methods.empty());
}
