// The Gateways service: made, listed, watched, deleted. What is inside a gateway is the Configs service's.

#include <atomic>

#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/etag.h"
#include "control-plane/admin/import.h"
#include "control-plane/admin/names.h"
#include "control-plane/admin/new_gateway.h"
#include "control-plane/admin/page.h"
#include "control-plane/admin/repeat.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "control-plane/admin/wait.h"
#include "control-plane/admin/watch.h"
#include "google/protobuf/arena.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;

constexpr int kMaxHostTries = 5;  // of generated host names that were taken
constexpr size_t kArenaBlockBytes = 128 * 1024;
constexpr std::string_view kService = "/sluice.admin.v1.Gateways/";

absl::Status CheckCreate(const v1::CreateGatewayRequest& request) {
  constexpr const char* kPlatform = "the platform decides this for every gateway; leave it out";
  schema::Violations violations;
  if (!request.version().empty()) violations.Add("version", kPlatform, "PLATFORM_DECIDES");
  if (request.node_count() != 0) violations.Add("node_count", kPlatform, "PLATFORM_DECIDES");
  if (!request.node_size().empty()) violations.Add("node_size", kPlatform, "PLATFORM_DECIDES");
  if (!request.region().empty()) violations.Add("region", kPlatform, "PLATFORM_DECIDES");
  CheckKind(request.kind(), request.plan(), violations);
  if (!violations.empty()) return Invalid(violations);
  if (absl::Status name = CheckName("name", request.name()); !name.ok()) return name;
  return CheckWait(request.wait());
}

// Imports come as streams of one message, since only then it is here that the message is made (StreamedImportGateways).
using GatewaysBase = v1::Gateways::WithStreamedUnaryMethod_ImportGateways<v1::Gateways::Service>;

class Gateways final : public GatewaysBase {
 public:
  explicit Gateways(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status CreateGateway(grpc::ServerContext* context, const v1::CreateGatewayRequest* request,
                             v1::Gateway* response) override {
    return Serve(deps_, *context, Cat(kService, "CreateGateway"), *request,
                 [&](Call& call) { return Create(call, *request, *response); });
  }
  grpc::Status GetGateway(grpc::ServerContext* context, const v1::GetGatewayRequest* request,
                          v1::Gateway* response) override {
    return Serve(deps_, *context, Cat(kService, "GetGateway"), *request, [&](Call& call) {
      const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, request->gateway());
      if (record.ok()) *response = ToGateway(deps_, *record);
      return record.status();
    });
  }
  // Documents are thousands of small values: on an arena they are made and dropped at once.
  grpc::Status StreamedImportGateways(
      grpc::ServerContext* context,
      grpc::ServerUnaryStreamer<v1::ImportGatewaysRequest, v1::ImportGatewaysResponse>* stream) override {
    google::protobuf::ArenaOptions options;
    options.start_block_size = options.max_block_size = kArenaBlockBytes;
    google::protobuf::Arena arena(options);
    auto& request = *google::protobuf::Arena::CreateMessage<v1::ImportGatewaysRequest>(&arena);
    if (!stream->Read(&request)) return {grpc::StatusCode::INTERNAL, "the request cannot be read"};
    v1::ImportGatewaysResponse response;
    grpc::Status status = Serve(deps_, *context, Cat(kService, "ImportGateways"), request,
                                [&](Call& call) { return Import(deps_, call, request, response); });
    if (status.ok()) stream->Write(response);
    return status;
  }
  grpc::Status ListGateways(grpc::ServerContext* context, const v1::ListGatewaysRequest* request,
                            v1::ListGatewaysResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListGateways"), *request,
                 [&](Call&) { return List(*request, *response); });
  }
  grpc::Status DeleteGateway(grpc::ServerContext* context, const v1::DeleteGatewayRequest* request,
                             v1::DeleteGatewayResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "DeleteGateway"), *request,
                 [&](Call& call) { return Delete(call, *request, *response); });
  }
  grpc::Status WatchGateway(grpc::ServerContext* context, const v1::GetGatewayRequest* request,
                            grpc::ServerWriter<v1::Gateway>* writer) override {
    return Serve(deps_, *context, Cat(kService, "WatchGateway"), *request, [&](Call& call) {
      return Watch(deps_, call, request->gateway(), watches_,
                   [&](const v1::Gateway& now) { return writer->Write(now); });
    });
  }

 private:
  absl::Status Create(Call& call, const v1::CreateGatewayRequest& request, v1::Gateway& response) {
    if (absl::Status checked = CheckCreate(request); !checked.ok()) return checked;
    const absl::StatusOr<std::optional<store::KeptRequest>> repeat = FindRepeat(deps_, call);
    if (!repeat.ok()) return repeat.status();
    if (repeat->has_value()) return AnswerMade(call, request, **repeat, response);
    const absl::StatusOr<config::v1::Plan> plan = FindPlan(deps_, PlanOr(request.plan(), KindOr(request.kind())));
    if (!plan.ok()) return plan.status();
    if (request.validate_only()) return AnswerTrial(request, *plan, response);
    if (absl::Status kept = KeepBuiltIn(deps_, call, *plan); !kept.ok()) return kept;
    config::v1::GatewayConfig config = NewConfig(deps_, request.name(), KindOr(request.kind()), *plan);
    absl::StatusOr<store::Committed> committed = CommitWithHosts(call, config);
    if (!committed.ok()) return committed.status();
    if (committed->repeated) return AnswerOther(call, request, response);
    if (absl::Status kept = TakePlanOfNow(deps_, call, config, committed->revision); !kept.ok()) return kept;
    return AnswerMade(call, request, {.gateway_id = config.id(), .revision = committed->revision}, response);
  }

  // Another call with this request_id made it just now.
  absl::Status AnswerOther(Call& call, const v1::CreateGatewayRequest& request, v1::Gateway& response) {
    const absl::StatusOr<std::optional<store::KeptRequest>> repeat = FindRepeat(deps_, call);
    if (!repeat.ok()) return repeat.status();
    if (!repeat->has_value()) return CommitFailed(absl::AbortedError("made by another call just now"));
    return AnswerMade(call, request, **repeat, response);
  }

  // The gateway as it is now, live where that was to be waited for.
  absl::Status AnswerMade(Call& call, const v1::CreateGatewayRequest& request, const store::KeptRequest& made,
                          v1::Gateway& response) {
    if (request.has_wait()) {
      const absl::Status live = WaitUntilLive(deps_, call, request.wait(), made.gateway_id, made.revision).status();
      if (!live.ok()) return live;
    }
    const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, made.gateway_id);
    if (absl::IsNotFound(record.status())) {
      return NotFound("gateway", made.gateway_id, Cat("'", request.name(), "' was made, and has been deleted since"));
    }
    if (record.ok()) response = ToGateway(deps_, *record);
    return record.status();
  }

  absl::Status AnswerTrial(const v1::CreateGatewayRequest& request, const config::v1::Plan& plan,
                           v1::Gateway& response) {
    const absl::Status known = deps_.store.GetGateway(request.name()).status();
    if (known.ok()) return NameTaken(request.name());
    if (!absl::IsNotFound(known)) return FromStore(known);
    response.set_name(request.name());
    response.set_kind(KindOr(request.kind()));
    response.set_plan(plan.name());
    return absl::OkStatus();
  }

  // Generated host and, where it is free, the name's own. Another try where a host was taken.
  absl::StatusOr<store::Committed> CommitWithHosts(Call& call, config::v1::GatewayConfig& config) {
    placement::Chooser chooser(deps_.cells.Cells());
    const absl::StatusOr<std::string> cell = NextCell(chooser, config.kind());
    if (!cell.ok()) return cell.status();
    bool own_host = MayBeHost(config.name());
    for (int i = 0; i < kMaxHostTries; ++i) {
      SetHosts(deps_, own_host, config);
      schema::Violations violations;
      config::Complete(config, violations);
      config::Validate(config, deps_.rules, violations);
      if (!violations.empty()) return Invalid(violations);
      absl::StatusOr<store::Committed> committed = CommitNew(deps_, call, config, *cell);
      if (!absl::IsAlreadyExists(committed.status())) return committed;
      if (deps_.store.GetGateway(config.name()).ok()) return NameTaken(config.name());
      own_host = false;
    }
    return WithReason(absl::StatusCode::kAborted, "no free host name was found; try again", "CONFLICT");
  }

  absl::Status List(const v1::ListGatewaysRequest& request, v1::ListGatewaysResponse& response) {
    constexpr std::string_view kQuery = "gateways";
    const absl::StatusOr<Page> page = ReadPage(kQuery, request.page_size(), request.page_token());
    if (!page.ok()) return page.status();
    const absl::StatusOr<std::vector<store::GatewayRecord>> records =
        deps_.store.ListGateways(page->cursor, page->size + 1);
    if (!records.ok()) return FromStore(records.status());
    for (const store::GatewayRecord& record : *records) {
      if (response.gateways_size() == page->size) {
        response.set_next_page_token(MakePageToken(kQuery, response.gateways(page->size - 1).name()));
        break;
      }
      *response.add_gateways() = ToGateway(deps_, record);
    }
    return absl::OkStatus();
  }

  absl::Status Delete(Call& call, const v1::DeleteGatewayRequest& request, v1::DeleteGatewayResponse& response,
                      bool may_try_again = true) {
    if (absl::Status wait = CheckWait(request.wait()); !wait.ok()) return wait;
    const absl::StatusOr<std::optional<store::KeptRequest>> repeat = FindRepeat(deps_, call);
    if (!repeat.ok()) return repeat.status();
    if (repeat->has_value()) return AnswerGone(call, request, **repeat, response);
    const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, request.gateway());
    if (!record.ok()) return record.status();
    if (absl::Status same = CheckEtag(request.etag(), record->name, record->version); !same.ok()) return same;
    if (request.validate_only()) return absl::OkStatus();
    const int64_t expected = request.etag().empty() ? 0 : record->version;
    const absl::StatusOr<store::Committed> gone =
        deps_.store.DeleteGateway({record->id, call.Audit(), expected, ToKeep(call)});
    // Once more, which finds what the other call made of it, unless that goes on.
    const bool overtaken = absl::IsAborted(gone.status()) || (gone.ok() && gone->repeated);
    if (overtaken && may_try_again) return Delete(call, request, response, false);
    if (absl::IsNotFound(gone.status())) return NotFound("gateway", request.gateway());
    if (!gone.ok() || gone->repeated) return CommitFailed(gone.ok() ? absl::AbortedError("repeated") : gone.status());
    call.audited = true;
    deps_.index.Refresh().IgnoreError();
    return AnswerGone(call, request, {.gateway_id = record->id, .revision = gone->revision}, response);
  }

  absl::Status AnswerGone(Call& call, const v1::DeleteGatewayRequest& request, const store::KeptRequest& done,
                          v1::DeleteGatewayResponse& response) {
    if (!request.has_wait()) return absl::OkStatus();
    const absl::StatusOr<v1::Rollout> live =
        WaitUntilLive(deps_, call, request.wait(), done.gateway_id, done.revision);
    if (live.ok()) *response.mutable_rollout() = *live;
    return live.status();
  }

  const AdminDeps deps_;
  std::atomic<int> watches_ = 0;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGatewaysService(const AdminDeps& deps) { return std::make_unique<Gateways>(deps); }

}  // namespace sluice::admin
