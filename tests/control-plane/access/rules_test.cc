#include "control-plane/access/rules.h"

#include <set>

#include "catch2/catch.hpp"
#include "control-plane/access/redact.h"
#include "control-plane/store/store.h"
#include "sluice/admin/v1/admin.pb.h"
#include "sluice/admin/v1/cells.pb.h"
#include "sluice/admin/v1/nodes.pb.h"

using namespace sluice;
using access::Authorize;
using access::Caller;
using access::Role;

namespace {

std::set<std::string> AdminMethods() {
  std::set<std::string> methods;
  for (const auto* file : {admin::v1::Gateway::descriptor()->file(), admin::v1::Cell::descriptor()->file(),
                           admin::v1::Node::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.insert("/" + file->service(i)->full_name() + "/" + file->service(i)->method(j)->name());
      }
    }
  }
  return methods;
}

}  // namespace

TEST_CASE("every admin method has a rule") {
  for (const std::string& method : AdminMethods()) {
    INFO(method);
    CHECK(access::FindRule(method) != nullptr);
  }
}

TEST_CASE("every rule is of an admin method that exists, once") {
  const std::set<std::string> methods = AdminMethods();
  std::set<std::string> seen;
  for (const access::MethodRule& rule : access::MethodRules()) {
    INFO(rule.method);
    CHECK(methods.contains(std::string(rule.method)));
    CHECK(seen.insert(std::string(rule.method)).second);
  }
}

TEST_CASE("methods that read are open to viewers and unaudited, all others are neither") {
  for (const access::MethodRule& rule : access::MethodRules()) {
    INFO(rule.method);
    const std::string name(rule.method.substr(rule.method.rfind('/') + 1));
    const bool reads = name.starts_with("Get") || name.starts_with("List") || name.starts_with("Watch") ||
                       name.starts_with("Diff");
    CHECK((rule.role == Role::kViewer) == reads);
    CHECK(rule.changes == !reads);
  }
}

TEST_CASE("a method without a rule is refused to an admin too") {
  CHECK(absl::IsPermissionDenied(Authorize({"root", Role::kAdmin}, "/sluice.admin.v1.Gateways/Unheard")));
}

TEST_CASE("a viewer may list gateways and not create one") {
  const Caller viewer{"eve", Role::kViewer};
  CHECK(Authorize(viewer, "/sluice.admin.v1.Gateways/ListGateways").ok());
  const absl::Status refused = Authorize(viewer, "/sluice.admin.v1.Gateways/CreateGateway");
  CHECK(refused.message() == "the token 'eve' has the role viewer; this call needs operator");
}

TEST_CASE("an operator may set plans and not make tokens") {
  const Caller op{"olga", Role::kOperator};
  CHECK(Authorize(op, "/sluice.admin.v1.Plans/SetPlan").ok());
  CHECK(absl::IsPermissionDenied(Authorize(op, "/sluice.admin.v1.Access/CreateToken")));
}

TEST_CASE("an audit detail keeps names and hides secrets") {
  admin::v1::PutEntityRequest request;
  request.set_gateway("shop");
  request.mutable_entity()->mutable_key_auth()->set_consumer("ann");
  request.mutable_entity()->mutable_key_auth()->set_key("open-sesame");
  CHECK(access::AuditDetail(request) ==
        R"({"gateway":"shop","entity":{"key_auth":{"consumer":"ann","key":"***"}}})");
}

TEST_CASE("an audit detail leaves documents and plugin configurations out") {
  admin::v1::ApplyConfigRequest request;
  request.set_gateway("shop");
  (*request.mutable_document()->mutable_fields())["secret"].set_string_value("open-sesame");
  CHECK(access::AuditDetail(request) == R"({"gateway":"shop"})");
}

TEST_CASE("an audit detail of an import names gateways and kinds, one of a route its lists and maps") {
  admin::v1::ImportGatewaysRequest request;
  admin::v1::NewGateway& gateway = *request.add_gateways();
  gateway.set_name("a");
  gateway.set_kind(config::v1::SELF_MANAGED);
  (*gateway.mutable_document()->mutable_fields())["secret"].set_string_value("open-sesame");
  request.add_gateways()->set_name("b");
  CHECK(access::AuditDetail(request) == R"({"gateways":[{"name":"a","kind":"SELF_MANAGED"},{"name":"b"}]})");
  admin::v1::PutEntityRequest put;
  config::v1::Route& route = *put.mutable_entity()->mutable_route();
  route.add_paths("/a");
  route.add_paths("/b");
  route.set_strip_path(false);
  route.set_regex_priority(3);
  (*route.mutable_headers())["x"].add_values("1");
  CHECK(access::AuditDetail(put) == R"({"entity":{"route":{"strip_path":false,"paths":["/a","/b"],)"
                                    R"("headers":{"x":{"values":["1"]}},"regex_priority":3}}})");
}

TEST_CASE("the names of all gateways of a large import are kept") {
  admin::v1::ImportGatewaysRequest request;
  for (int i = 0; i < store::kMaxImport; ++i) request.add_gateways()->set_name(std::string(40, 'a'));
  CHECK(access::AuditDetail(request).starts_with(R"({"gateways":[{"name":"aaaa)"));
}

TEST_CASE("an audit detail at the limit is kept and one byte more is not") {
  admin::v1::GetGatewayRequest request;
  request.set_gateway(std::string(access::kMaxDetailBytes - 14, 'a'));
  CHECK(access::AuditDetail(request).size() == access::kMaxDetailBytes);
  request.set_gateway(std::string(access::kMaxDetailBytes - 13, 'a'));
  CHECK(access::AuditDetail(request) == "{\"omitted_bytes\":16374}");
}
