#include "common/schema/schema.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::Served;

namespace {

struct Shop : Served {
  Shop() { Create("shop"); }

  grpc::Status Put(const config::v1::Entity& entity, admin::v1::PutEntityResponse& response,
                   bool validate_only = false) {
    admin::v1::PutEntityRequest request;
    request.set_gateway("shop");
    *request.mutable_entity() = entity;
    request.set_validate_only(validate_only);
    return configs_stub->PutEntity(As(test::kOperator).get(), request, &response);
  }
  grpc::Status Delete(const std::string& kind, const std::string& id) {
    admin::v1::DeleteEntityRequest request;
    request.set_gateway("shop");
    request.set_kind(kind);
    request.set_id(id);
    admin::v1::DeleteEntityResponse response;
    return configs_stub->DeleteEntity(As(test::kOperator).get(), request, &response);
  }
  grpc::Status Apply(const std::string& json, admin::v1::ApplyConfigResponse& response, bool dry_run = false) {
    admin::v1::ApplyConfigRequest request;
    request.set_gateway("shop");
    request.set_dry_run(dry_run);
    std::string error;
    REQUIRE(schema::ParseJson(json, *request.mutable_document(), error));
    return configs_stub->ApplyConfig(As(test::kOperator).get(), request, &response);
  }
  google::protobuf::Struct Dump(int64_t version = 0) {
    admin::v1::GetConfigRequest request;
    request.set_gateway("shop");
    request.set_version(version);
    admin::v1::GetConfigResponse response;
    REQUIRE(configs_stub->GetConfig(As(test::kViewer).get(), request, &response).ok());
    return response.document();
  }
};

config::v1::Entity Service(const std::string& name) {
  config::v1::Entity entity;
  entity.mutable_service()->set_name(name);
  entity.mutable_service()->set_host("example.com");
  return entity;
}

config::v1::Entity Consumer(const std::string& name) {
  config::v1::Entity entity;
  entity.mutable_consumer()->set_username(name);
  return entity;
}

std::vector<std::string> FieldsOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&bad);
  std::vector<std::string> fields;
  for (const auto& one : bad.field_violations()) fields.push_back(one.field());
  return fields;
}

const std::string kDocument = R"({
  "_format_version": "3.0",
  "services": [{"name": "a", "url": "http://example.com", "routes": [{"name": "r", "paths": ["/a"]}],
                "plugins": [{"name": "request-termination", "config": {"status_code": 403}}]}],
  "consumers": [{"username": "ann", "keyauth_credentials": [{"key": "open-sesame"}]}]
})";

}  // namespace

TEST_CASE("a put entity comes back with its id and defaults, as version 2") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  REQUIRE(shop.Put(Service("a"), response).ok());
  CHECK(response.version() == 2);
  CHECK(response.entity().service().id().size() == 36);
  CHECK(response.entity().service().retries() == 5);
}

TEST_CASE("an entity without id is found by its name and replaced") {
  Shop shop;
  admin::v1::PutEntityResponse first;
  admin::v1::PutEntityResponse second;
  REQUIRE(shop.Put(Service("a"), first).ok());
  config::v1::Entity changed = Service("a");
  changed.mutable_service()->set_retries(1);
  REQUIRE(shop.Put(changed, second).ok());
  CHECK(second.entity().service().id() == first.entity().service().id());
  CHECK(second.entity().service().retries() == 1);
  CHECK(second.version() == 3);
}

TEST_CASE("putting the same entity twice makes one version") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  REQUIRE(shop.Put(Service("a"), response).ok());
  REQUIRE(shop.Put(Service("a"), response).ok());
  CHECK(response.version() == 2);
}

TEST_CASE("validate_only changes nothing") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  REQUIRE(shop.Put(Service("a"), response, true).ok());
  CHECK(response.version() == 1);
  CHECK(shop.store.writes().size() == 1);
}

TEST_CASE("a mistake in a put entity is named from the request's own root") {
  Shop shop;
  config::v1::Entity entity = Service("a");
  entity.mutable_service()->set_host("bad host");
  admin::v1::PutEntityResponse response;
  const grpc::Status status = shop.Put(entity, response);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(FieldsOf(status) == std::vector<std::string>{"entity.service.host"});
}

TEST_CASE("an entity of no kind is refused") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  CHECK(FieldsOf(shop.Put({}, response)) == std::vector<std::string>{"entity"});
}

TEST_CASE("a generated key is returned that once and kept as its hash") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  REQUIRE(shop.Put(Consumer("ann"), response).ok());
  config::v1::Entity credential;
  credential.mutable_key_auth()->set_consumer("ann");
  REQUIRE(shop.Put(credential, response).ok());
  CHECK(response.entity().key_auth().key().size() == 32);
  CHECK(shop.store.writes().back().config.key_auths(0).key().starts_with("sha256:"));
  CHECK(shop.store.writes().back().audit.detail.find(response.entity().key_auth().key()) == std::string::npos);
}

TEST_CASE("a service that a route uses is not deleted, and the route is named") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response).ok());
  const grpc::Status status = shop.Delete("service", "a");
  CHECK(status.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(status.error_message() == "service 'a' is in use by route 'r'; delete or change that first");
}

TEST_CASE("a deleted entity is gone, and deleting it again finds nothing") {
  Shop shop;
  admin::v1::PutEntityResponse response;
  REQUIRE(shop.Put(Service("a"), response).ok());
  CHECK(shop.Delete("service", "a").ok());
  CHECK(shop.store.writes().back().entities.empty());
  CHECK(shop.Delete("service", "a").error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(shop.Delete("workspace", "a").error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a document becomes one version, and the same again none") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response).ok());
  CHECK(response.version() == 2);
  CHECK(response.changes_size() == 5);
  admin::v1::ApplyConfigResponse again;
  REQUIRE(shop.Apply(kDocument, again).ok());
  CHECK(again.version() == 2);
  CHECK(again.changes_size() == 0);
}

TEST_CASE("what a document does not name is deleted") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response).ok());
  admin::v1::ApplyConfigResponse empty;
  REQUIRE(shop.Apply(R"({"_format_version": "3.0"})", empty).ok());
  REQUIRE(empty.changes_size() == 5);
  CHECK(empty.changes(0).action() == admin::v1::Change::DELETE);
}

TEST_CASE("a dry run shows the changes without a version") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response, true).ok());
  CHECK(response.changes_size() == 5);
  CHECK(response.version() == 1);
}

TEST_CASE("a dumped document applies without a change") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response).ok());
  admin::v1::ApplyConfigResponse again;
  REQUIRE(shop.Apply(schema::ToJson(shop.Dump()), again).ok());
  CHECK(again.changes_size() == 0);
}

TEST_CASE("mistakes in a document are all shown, where they stand in it") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  const grpc::Status status = shop.Apply(R"({"_format_version": "3.0", "services": [
      {"name": "a", "host": "bad host"},
      {"name": "b", "host": "ok.example.com", "routes": [{"name": "r", "paths": ["no-slash"]}]}]})", response);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  const std::vector<std::string> fields = FieldsOf(status);
  CHECK(std::count(fields.begin(), fields.end(), "services[0].host") == 1);
  CHECK(std::count(fields.begin(), fields.end(), "services[1].routes[0].paths[0]") == 1);
}

TEST_CASE("no audit record and no answer of a diff holds a credential") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  REQUIRE(shop.Apply(kDocument, response).ok());
  CHECK(response.ShortDebugString().find("open-sesame") == std::string::npos);
  for (const store::AuditRecord& record : shop.store.audits())
    CHECK(record.detail.find("open-sesame") == std::string::npos);
}

TEST_CASE("versions are listed newest first, and an earlier one can be read") {
  Shop shop;
  admin::v1::ApplyConfigResponse applied;
  REQUIRE(shop.Apply(kDocument, applied).ok());
  admin::v1::ListVersionsRequest request;
  request.set_gateway("shop");
  request.set_page_size(1);
  admin::v1::ListVersionsResponse page;
  REQUIRE(shop.configs_stub->ListVersions(Served::As(test::kViewer).get(), request, &page).ok());
  CHECK(page.versions(0).version() == 2);
  request.set_page_token(page.next_page_token());
  admin::v1::ListVersionsResponse last;
  REQUIRE(shop.configs_stub->ListVersions(Served::As(test::kViewer).get(), request, &last).ok());
  CHECK(last.versions(0).version() == 1);
  CHECK(last.next_page_token().empty());
  CHECK(shop.Dump(1).fields().contains("services") == false);
}

TEST_CASE("a message past 4 MiB is refused and the server serves on") {
  Shop shop;
  admin::v1::ApplyConfigResponse response;
  const grpc::Status status = shop.Apply("{\"a\": \"" + std::string(5 * 1024 * 1024, 'x') + "\"}", response);
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(shop.Apply(kDocument, response).ok());
}
