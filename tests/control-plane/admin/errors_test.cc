#include "control-plane/admin/errors.h"

#include "catch2/catch.hpp"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

using namespace sluice;

namespace {

schema::Violations Many(int count, size_t bytes) {
  schema::Violations violations;
  for (int i = 0; i < count; ++i) violations.Add("f" + std::to_string(i), std::string(bytes, 'x'));
  return violations;
}

google::rpc::Status Details(const absl::Status& status) {
  google::rpc::Status out;
  REQUIRE(out.ParseFromString(admin::StatusDetails(status)));
  return out;
}

template <typename Detail>
Detail Find(const absl::Status& status) {
  Detail found;
  const google::rpc::Status details = Details(status);
  for (const auto& detail : details.details()) {
    if (detail.Is<Detail>()) detail.UnpackTo(&found);
  }
  return found;
}

}  // namespace

TEST_CASE("one violation reads as its field and its sentence") {
  CHECK(admin::InvalidField("paths[0]", "must begin with /").message() == "paths[0]: must begin with /");
}

TEST_CASE("a field that is wrong twice is shown once") {
  schema::Violations violations;
  violations.Add("host", "is needed");
  violations.Add("host", "is not a host");
  const absl::Status status = admin::Invalid(violations);
  CHECK(Find<google::rpc::BadRequest>(status).field_violations_size() == 1);
  CHECK(status.message() == "host: is needed");
}

TEST_CASE("an error names its reason in the domain sluice") {
  const auto info = Find<google::rpc::ErrorInfo>(admin::InvalidField("a", "b", "LOCAL_AGENT"));
  CHECK(info.reason() == "LOCAL_AGENT");
  CHECK(info.domain() == "sluice");
}

TEST_CASE("what is not found is named as a resource") {
  const auto resource = Find<google::rpc::ResourceInfo>(admin::NotFound("gateway", "shop"));
  CHECK(resource.resource_type() == "gateway");
  CHECK(resource.resource_name() == "shop");
}

TEST_CASE("a hundred long violations stay within the trailers that clients take, and are counted") {
  const absl::Status status = admin::Invalid(Many(150, 200));
  CHECK(admin::StatusDetails(status).size() + admin::StatusMessage(status).size() < 8000);
  CHECK(Find<google::rpc::ErrorInfo>(status).metadata().at("violations") == "150");
  CHECK(Find<google::rpc::BadRequest>(status).field_violations_size() > 10);
  CHECK(std::string(status.message()).ends_with("(and 149 more)"));
}

TEST_CASE("a message of 500 bytes is whole and a longer one is cut between characters") {
  CHECK(admin::StatusMessage(absl::InternalError(std::string(500, 'a'))).size() == 500);
  std::string longer(499, 'a');
  longer.append("\xc3\xa4");
  CHECK(admin::StatusMessage(absl::InternalError(longer)) == std::string(499, 'a'));
}

TEST_CASE("a database that is away is said so, without its own words") {
  const absl::Status status = admin::FromStore(absl::UnavailableError("connection to /run/secret failed"));
  CHECK(absl::IsUnavailable(status));
  CHECK(std::string(status.message()).find("secret") == std::string::npos);
}

TEST_CASE("what no caller can help becomes internal, without its own words") {
  const absl::Status status = admin::FromStore(absl::InvalidArgumentError("column x"));
  CHECK(absl::IsInternal(status));
  CHECK(std::string(status.message()).find("column") == std::string::npos);
}
