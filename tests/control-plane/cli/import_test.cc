#include <fstream>

#include "google/rpc/error_details.pb.h"
#include "sluice/admin/v1/admin.pb.h"
#include "tests/control-plane/cli/shell.h"

using namespace sluice;
using test::Shell;

namespace {

std::string File(Shell& shell, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(shell.home);
  const std::string path = (shell.home / name).string();
  std::ofstream(path) << text;
  return path;
}

constexpr char kDocument[] = "_format_version: \"3.0\"\nservices:\n- name: a\n  host: example.com\n";

TEST_CASE("a folder's documents become gateways named as their files") {
  Shell shell;
  File(shell, "shop.yaml", kDocument);
  File(shell, "blog.json", R"({"_format_version": "3.0"})");
  File(shell, "README.md", "no document");
  admin::v1::ImportGatewaysResponse answer;
  answer.add_results()->set_name("blog");
  answer.add_results()->set_name("shop");
  shell.client.answers["Gateways/ImportGateways"] = answer.SerializeAsString();
  CHECK(shell.Run({"import", shell.home.string(), "--plan", "large"}) == 0);
  CHECK(shell.client.methods == std::vector<std::string>{"Gateways/ImportGateways"});
  CHECK(shell.client.last.find("gateways { name: \"blog\" plan: \"large\"") == 0);
  CHECK(shell.client.last.find("name: \"shop\"") != std::string::npos);
  CHECK(shell.client.last.find("README") == std::string::npos);
  CHECK(shell.err.find("2 of 2 imported") != std::string::npos);
}

TEST_CASE("a gateway that is refused is shown with its file and line, and the others are imported") {
  Shell shell;
  const std::string path = File(shell, "shop.yaml", kDocument);
  admin::v1::ImportGatewaysResponse answer;
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("services[0].host");
  bad.mutable_field_violations(0)->set_description("may not be that");
  answer.add_results()->mutable_error()->set_code(3);
  answer.mutable_results(0)->mutable_error()->add_details()->PackFrom(bad);
  answer.add_results()->set_name("blog");
  shell.client.answers["Gateways/ImportGateways"] = answer.SerializeAsString();
  CHECK(shell.Run({"import", path, File(shell, "blog.yaml", kDocument)}) == 1);
  CHECK(shell.err.find("shop.yaml:4:3") != std::string::npos);
  CHECK(shell.err.find("1 of 2 imported, 1 refused") != std::string::npos);
}

TEST_CASE("a file that cannot be read does not keep the others out") {
  Shell shell;
  admin::v1::ImportGatewaysResponse answer;
  answer.add_results()->set_name("blog");
  shell.client.answers["Gateways/ImportGateways"] = answer.SerializeAsString();
  const std::string broken = File(shell, "broken.yaml", "a: [");
  CHECK(shell.Run({"import", broken, File(shell, "blog.yaml", kDocument)}) == 1);
  CHECK(shell.err.find("broken.yaml:") != std::string::npos);
  CHECK(shell.client.last.find("name: \"blog\"") != std::string::npos);
}

TEST_CASE("a folder without documents is an error that says what would be one") {
  Shell shell;
  std::filesystem::create_directories(shell.home);
  CHECK(shell.Run({"import", shell.home.string()}) == 1);
  CHECK(shell.err.find("no .yaml, .yml or .json") != std::string::npos);
}

}  // namespace
