#include "common/rpc/hint.h"

#include <grpcpp/support/status.h>

#include "catch2/catch.hpp"

namespace sluice::rpc {
namespace {

const grpc::Status kNo(grpc::StatusCode::UNAVAILABLE, "not now");

TEST_CASE("a status carries who else to ask and when to ask again, and says what it said") {
  const grpc::Status status = WithHint(kNo, {"other:7002", std::chrono::milliseconds(1500)});
  CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(status.error_message() == "not now");
  CHECK(HintOf(status).address == "other:7002");
  CHECK(HintOf(status).retry_after == std::chrono::milliseconds(1500));
}

TEST_CASE("a status without a hint has none, and neither has one that cannot be read") {
  for (const grpc::Status& status :
       {kNo, WithHint(kNo, {}), grpc::Status(grpc::StatusCode::UNAVAILABLE, "", "\xff\xff")}) {
    CHECK(HintOf(status).address == "");
    CHECK(HintOf(status).retry_after == Duration(0));
  }
}

}  // namespace
}  // namespace sluice::rpc
