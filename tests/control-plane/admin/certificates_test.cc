#include "catch2/catch.hpp"
#include "common/config/key_hash.h"
#include "tests/control-plane/admin/fixture.h"
#include "tests/support/pems.h"

using namespace sluice;
using test::Served;

namespace {

// A gateway "shop" and the verbs on its only certificate.
struct Vault : Served {
  Vault() { Create("shop"); }

  grpc::Status Put(const config::v1::Entity& entity) {
    admin::v1::PutEntityRequest request;
    request.set_gateway("shop");
    *request.mutable_entity() = entity;
    return configs_stub->PutEntity(As(test::kOperator).get(), request, &put);
  }
  config::v1::Certificate Get(const std::string& id) {
    admin::v1::GetEntityRequest request;
    request.set_gateway("shop");
    request.set_kind("certificate");
    request.set_id(id);
    admin::v1::GetEntityResponse response;
    CHECK(configs_stub->GetEntity(As(test::kViewer).get(), request, &response).ok());
    return response.entity().certificate();
  }
  std::string List() {
    admin::v1::ListEntitiesRequest request;
    request.set_gateway("shop");
    admin::v1::ListEntitiesResponse response;
    CHECK(configs_stub->ListEntities(As(test::kViewer).get(), request, &response).ok());
    return response.DebugString();
  }

  admin::v1::PutEntityResponse put;
};

config::v1::Entity Certificate() {
  config::v1::Entity entity;
  entity.mutable_certificate()->set_cert(test::kEcCertificate);
  entity.mutable_certificate()->set_key(test::kEcKey);
  return entity;
}

}  // namespace

TEST_CASE("a private key goes to the store, and no answer shows more than its hash") {
  Vault vault;
  REQUIRE(vault.Put(Certificate()).ok());
  const std::string hash = config::HashKey(test::kEcKey);
  CHECK(vault.store.writes().back().config.certificates(0).key() == test::kEcKey);
  CHECK(vault.put.entity().certificate().key() == hash);
  CHECK(vault.Get(vault.put.entity().certificate().id()).key() == hash);
  CHECK(vault.List().find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE("a certificate as it is shown can be put back, and keeps its key") {
  Vault vault;
  REQUIRE(vault.Put(Certificate()).ok());
  config::v1::Entity shown = vault.put.entity();
  shown.mutable_certificate()->add_tags("edge");
  REQUIRE(vault.Put(shown).ok());
  CHECK(vault.put.version() == 3);
  CHECK(vault.store.writes().back().config.certificates(0).key() == test::kEcKey);
}

TEST_CASE("a certificate without id is known by its text") {
  Vault vault;
  REQUIRE(vault.Put(Certificate()).ok());
  REQUIRE(vault.Put(Certificate()).ok());
  CHECK(vault.put.version() == 2);
}

TEST_CASE("no audit record holds a private key, of a refusal neither") {
  Vault vault;
  config::v1::Entity wrong = Certificate();
  wrong.mutable_certificate()->set_key(test::kOtherEcKey);
  REQUIRE(vault.Put(Certificate()).ok());
  const grpc::Status refused = vault.Put(wrong);
  CHECK(refused.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(refused.error_message().find("PRIVATE") == std::string::npos);
  for (const store::AuditRecord& record : vault.store.audits())
    CHECK(record.detail.find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE("an expired authority is refused by the day it is written") {
  Vault vault;
  config::v1::Entity entity;
  entity.mutable_ca_certificate()->set_cert(test::kExpiredAuthority);
  CHECK(vault.Put(entity).error_message().find("certificate expired") != std::string::npos);
}

TEST_CASE("a certificate that a service uses is not deleted; its server names go with it") {
  Vault vault;
  REQUIRE(vault.Put(Certificate()).ok());
  const std::string id = vault.put.entity().certificate().id();
  config::v1::Entity service, sni;
  service.mutable_service()->set_name("s");
  service.mutable_service()->set_host("example.com");
  service.mutable_service()->set_protocol("https");
  service.mutable_service()->set_client_certificate(id);
  sni.mutable_sni()->set_name("a.test");
  sni.mutable_sni()->set_certificate(id);
  REQUIRE(vault.Put(service).ok());
  REQUIRE(vault.Put(sni).ok());
  admin::v1::DeleteEntityRequest request;
  request.set_gateway("shop");
  request.set_kind("certificate");
  request.set_id(id);
  admin::v1::DeleteEntityResponse response;
  const grpc::Status refused = vault.configs_stub->DeleteEntity(vault.As(test::kOperator).get(), request, &response);
  CHECK(refused.error_message() == "certificate '" + id + "' is in use by service 's'; delete or change that first");
  service.mutable_service()->clear_client_certificate();
  REQUIRE(vault.Put(service).ok());
  CHECK(vault.configs_stub->DeleteEntity(vault.As(test::kOperator).get(), request, &response).ok());
  CHECK(vault.store.writes().back().config.snis_size() == 0);
}
