#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::Served;

namespace {

admin::v1::GetUsageResponse Get(Served& plane, const admin::v1::GetUsageRequest& request, grpc::Status& status) {
  admin::v1::GetUsageResponse response;
  const auto context = Served::As(test::kViewer);
  status = admin::v1::Usage::NewStub(plane.channel)->GetUsage(context.get(), request, &response);
  return response;
}

}  // namespace

TEST_CASE("a gateway's usage is found by its name, with its total") {
  Served plane;
  const std::string id = plane.Gateway("shop");
  const int64_t now = UnixSeconds(plane.clock.WallNow());
  REQUIRE(plane.store.AddUsage({"n", "p", 1, now, {{id, {.requests = 7, .response_bytes = 70}}}}).ok());
  admin::v1::GetUsageRequest request;
  request.set_gateway("shop");
  grpc::Status status;
  const admin::v1::GetUsageResponse response = Get(plane, request, status);
  REQUIRE(status.ok());
  REQUIRE(response.rows_size() == 1);
  CHECK(response.rows(0).requests() == 7);
  CHECK(response.total().requests() == 7);
  CHECK(response.total().response_bytes() == 70);
  CHECK(response.total().time().seconds() % 3600 == 0);
}

TEST_CASE("usage of no gateway, by no step, or of the future is refused with the field named") {
  Served plane;
  plane.Gateway("shop");
  grpc::Status status;
  admin::v1::GetUsageRequest request;
  request.set_gateway("nobody");
  Get(plane, request, status);
  CHECK(status.error_code() == grpc::StatusCode::NOT_FOUND);
  request.set_gateway("shop");
  request.mutable_start_time()->set_seconds(UnixSeconds(plane.clock.WallNow()) + 1000);
  Get(plane, request, status);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(status.error_message().find("start_time") != std::string::npos);
  request.clear_start_time();
  request.set_step(static_cast<admin::v1::GetUsageRequest::Step>(9));
  Get(plane, request, status);
  CHECK(status.error_message().find("step") != std::string::npos);
}
