// The Cells service: where serverless gateways are served.

#include <algorithm>

#include "common/schema/text.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/names.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "sluice/admin/v1/cells.grpc.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;

constexpr std::string_view kService = "/sluice.admin.v1.Cells/";
constexpr std::string_view kHelp = "`sluice cell list` shows those there are";

bool IsHost(const std::string& address) {
  return address.size() <= store::kMaxCellAddress && std::all_of(address.begin(), address.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
         });
}

class CellsService final : public v1::Cells::Service {
 public:
  explicit CellsService(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status ListCells(grpc::ServerContext* context, const v1::ListCellsRequest* request,
                         v1::ListCellsResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListCells"), *request, [&](Call&) {
      for (const placement::Cell& cell : deps_.cells.Cells()) *response->add_cells() = ToMessage(cell);
      return absl::OkStatus();
    });
  }
  grpc::Status SetCell(grpc::ServerContext* context, const v1::SetCellRequest* request, v1::Cell* response) override {
    return Serve(deps_, *context, Cat(kService, "SetCell"), *request,
                 [&](Call& call) { return Set(call, *request, *response); });
  }
  grpc::Status DrainCell(grpc::ServerContext* context, const v1::DrainCellRequest* request,
                         v1::Cell* response) override {
    return Serve(deps_, *context, Cat(kService, "DrainCell"), *request,
                 [&](Call& call) { return Drain(call, request->name(), true, *response); });
  }
  grpc::Status ResumeCell(grpc::ServerContext* context, const v1::ResumeCellRequest* request,
                          v1::Cell* response) override {
    return Serve(deps_, *context, Cat(kService, "ResumeCell"), *request,
                 [&](Call& call) { return Drain(call, request->name(), false, *response); });
  }
  grpc::Status DeleteCell(grpc::ServerContext* context, const v1::DeleteCellRequest* request,
                          v1::DeleteCellResponse*) override {
    return Serve(deps_, *context, Cat(kService, "DeleteCell"), *request,
                 [&](Call& call) { return Delete(call, request->name()); });
  }

 private:
  absl::Status Set(Call& call, const v1::SetCellRequest& request, v1::Cell& response) {
    if (absl::Status name = CheckName("name", request.name()); !name.ok()) return name;
    if (request.capacity() < 0) return InvalidField("capacity", "0 for no bound, or a number of gateways", "BOUNDS");
    if (!IsHost(request.address())) {
      return InvalidField("address", Cat("a host name or an address of at most ", store::kMaxCellAddress, " bytes"));
    }
    const absl::Status put = deps_.cells.store().PutCell({request.name(), request.capacity(), request.address()},
                                                         call.Audit());
    call.audited = put.ok();
    if (absl::IsResourceExhausted(put)) return WithReason(put.code(), std::string(put.message()), "CELLS");
    return put.ok() ? Answer(request.name(), response) : FromStore(put);
  }

  absl::Status Drain(Call& call, const std::string& name, bool drain, v1::Cell& response) {
    if (absl::Status checked = CheckName("name", name); !checked.ok()) return checked;
    if (drain) {
      // The others, as they are.
      std::vector<placement::Cell> others = deps_.cells.Cells();
      std::erase_if(others, [&](const placement::Cell& cell) { return cell.row.name == name; });
      if (const auto place = placement::Chooser(others).Next(); !place.ok()) {
        return WithReason(place.status().code(), std::string(place.status().message()), "NO_CELL");
      }
    }
    const absl::Status set = deps_.cells.store().SetDraining(name, drain, call.Audit());
    call.audited = set.ok();
    if (absl::IsNotFound(set)) return NotFound("cell", name, kHelp);
    return set.ok() ? Answer(name, response) : FromStore(set);
  }

  absl::Status Delete(Call& call, const std::string& name) {
    if (absl::Status checked = CheckName("name", name); !checked.ok()) return checked;
    if (name == store::kDefaultCell) {
      return WithReason(absl::StatusCode::kFailedPrecondition, "the cell 'default' stays: the platform always has one",
                        "DEFAULT_CELL");
    }
    const absl::Status gone = deps_.cells.store().DeleteCell(name, call.Audit());
    call.audited = gone.ok();
    if (absl::IsNotFound(gone)) return NotFound("cell", name, kHelp);
    if (absl::IsFailedPrecondition(gone)) {
      return WithReason(gone.code(),
                        Cat("cell '", name, "': ", std::string(gone.message()),
                            "; `sluice cell drain ", name, "` moves the gateways, then stop the nodes"),
                        "CELL_IN_USE");
    }
    if (gone.ok()) deps_.cells.Refresh().IgnoreError();  // else within a second, as on the other replicas
    return FromStore(gone);
  }

  absl::Status Answer(const std::string& name, v1::Cell& response) {
    if (absl::Status read = deps_.cells.Refresh(); !read.ok()) return FromStore(read);
    for (const placement::Cell& cell : deps_.cells.Cells()) {
      if (cell.row.name == name) response = ToMessage(cell);
    }
    return absl::OkStatus();
  }

  v1::Cell ToMessage(const placement::Cell& cell) {
    v1::Cell out;
    out.set_name(cell.row.name);
    out.set_capacity(cell.row.capacity);
    out.set_address(cell.row.address);
    out.set_draining(cell.row.draining);
    out.set_gateways(cell.load.gateways);
    out.set_leaving(cell.load.leaving);
    out.set_connected_nodes(static_cast<int64_t>(cell.connected));
    const std::vector<sync::NodeStatus> connected = deps_.registry.Nodes();
    for (const std::string& name : cell.row.nodes) {
      const bool is_here = std::any_of(connected.begin(), connected.end(),
                                       [&](const sync::NodeStatus& node) { return node.name == name; });
      if (!is_here) out.add_missing_nodes(name);
    }
    return out;
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCellsService(const AdminDeps& deps) { return std::make_unique<CellsService>(deps); }

}  // namespace sluice::admin
