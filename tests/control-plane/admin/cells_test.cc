// The Cells service, and where new gateways go.

#include "sluice/admin/v1/cells.grpc.pb.h"
#include "tests/control-plane/admin/fixture.h"

using namespace sluice;
using test::Served;

namespace {

class CellsPlane : public Served {
 public:
  grpc::Status Set(const std::string& name, int64_t capacity = 0, const std::string& address = "") {
    admin::v1::SetCellRequest request;
    request.set_name(name);
    request.set_capacity(capacity);
    request.set_address(address);
    return stub_->SetCell(As(test::kAdmin).get(), request, &cell);
  }
  grpc::Status Drain(const std::string& name) {
    admin::v1::DrainCellRequest request;
    request.set_name(name);
    return stub_->DrainCell(As(test::kAdmin).get(), request, &cell);
  }
  grpc::Status Delete(const std::string& name) {
    admin::v1::DeleteCellRequest request;
    request.set_name(name);
    admin::v1::DeleteCellResponse response;
    return stub_->DeleteCell(As(test::kAdmin).get(), request, &response);
  }
  grpc::Status Create(const std::string& name, config::v1::GatewayKind kind = config::v1::SERVERLESS) {
    admin::v1::CreateGatewayRequest request;
    request.set_name(name);
    request.set_kind(kind);
    return gateways_stub->CreateGateway(As(test::kAdmin).get(), request, &gateway);
  }

  admin::v1::Cell cell;
  admin::v1::Gateway gateway;

 private:
  std::unique_ptr<admin::v1::Cells::Stub> stub_ = admin::v1::Cells::NewStub(channel);
};

bool Says(const grpc::Status& status, const std::string& words) {
  return status.error_message().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a cell is made, changed, shown and deleted, and each change is audited") {
  CellsPlane plane;
  REQUIRE(plane.Set("west", 10, "west.example").ok());
  CHECK(plane.cell.capacity() == 10);
  REQUIRE(plane.Set("west", 20, "10.0.0.1").ok());
  CHECK(plane.cell.address() == "10.0.0.1");
  plane.store.cells["west"].nodes = {"lost"};
  REQUIRE(plane.Set("west").ok());
  REQUIRE(plane.cell.missing_nodes_size() == 1);
  CHECK(plane.cell.missing_nodes(0) == "lost");
  CHECK(plane.Delete("west").error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  plane.store.cells["west"].nodes.clear();
  REQUIRE(plane.Delete("west").ok());
  CHECK(plane.Delete("west").error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(plane.store.audits().at(0).action == "SetCell");
}

TEST_CASE("what cannot be a cell is refused with its field, and the default one stays") {
  CellsPlane plane;
  CHECK(Says(plane.Set("West!"), "name"));
  CHECK(Says(plane.Set("west", -1), "capacity"));
  CHECK(Says(plane.Set("west", 0, "no spaces, please"), "address"));
  CHECK(Says(plane.Delete("default"), "the platform always has one"));
}

TEST_CASE("new gateways go to the least loaded cell, and self-managed ones are in none") {
  CellsPlane plane;
  REQUIRE(plane.Set("west", 0, "west.example").ok());
  REQUIRE(plane.Create("one").ok());
  CHECK(plane.gateway.cell() == "default");
  REQUIRE(plane.Create("two").ok());
  CHECK(plane.gateway.cell() == "west");
  CHECK(plane.gateway.address() == "west.example");
  REQUIRE(plane.Create("own", config::v1::SELF_MANAGED).ok());
  CHECK(plane.gateway.cell().empty());
  REQUIRE(plane.Create("three").ok());
  CHECK(plane.gateway.cell() == "default");
}

TEST_CASE("where every cell is full or drains, a gateway is refused with what to do") {
  CellsPlane plane;
  REQUIRE(plane.Set("default", 1).ok());
  REQUIRE(plane.Create("one").ok());
  const grpc::Status full = plane.Create("two");
  CHECK(full.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(Says(full, "default is full (1 of 1)"));
  CHECK(Says(full, "sluice cell set"));
  CHECK(plane.Create("own", config::v1::SELF_MANAGED).ok());
}

TEST_CASE("the only cell with room is not drained") {
  CellsPlane plane;
  CHECK(plane.Drain("default").error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  REQUIRE(plane.Set("west").ok());
  REQUIRE(plane.Drain("default").ok());
  CHECK(plane.cell.draining());
  CHECK(plane.Drain("west").error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(plane.Drain("nowhere").error_code() == grpc::StatusCode::NOT_FOUND);
  REQUIRE(plane.Create("one").ok());
  CHECK(plane.gateway.cell() == "west");
}

TEST_CASE("an import is spread over the cells") {
  CellsPlane plane;
  REQUIRE(plane.Set("west").ok());
  admin::v1::ImportGatewaysRequest request;
  for (const char* name : {"a", "b", "c", "d"}) request.add_gateways()->set_name(name);
  admin::v1::ImportGatewaysResponse response;
  REQUIRE(plane.gateways_stub->ImportGateways(Served::As(test::kAdmin).get(), request, &response).ok());
  const auto loads = plane.index.Loads();
  CHECK(loads.at("default").gateways == 2);
  CHECK(loads.at("west").gateways == 2);
}
