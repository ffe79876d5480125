#include "common/rpc/server.h"
#include "common/schema/text.h"
#include "control-plane/cli/client.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace sluice::cli {

namespace {

using schema::Cat;

absl::Status FromGrpc(const grpc::Status& status, const std::string& server) {
  if (status.ok()) return absl::OkStatus();
  std::string message = status.error_message();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty()) {
    message =
        Cat("cannot reach the control plane at ", server, ": ", message,
            ". Is it running there? --server or SLUICE_SERVER names another, --ca the authority where it uses TLS");
  }
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()), message);
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return out;
  for (const google::protobuf::Any& detail : details.details())
    out.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return out;
}

class GrpcClient final : public Client {
 public:
  GrpcClient(std::shared_ptr<grpc::Channel> channel, Target target)
      : target_(std::move(target)), stub_(std::move(channel)) {}

  absl::Status Call(const std::string& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Duration timeout) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(timeout));
    context.AddMetadata("authorization", "Bearer " + target_.token);
    const std::string bytes = request.SerializeAsString();
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer body(&slice, 1);
    grpc::CompletionQueue queue;
    const std::string path = "/sluice.admin.v1." + method;
    const auto call = stub_.PrepareUnaryCall(&context, path, body, &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    if (!status.ok()) return FromGrpc(status, target_.server);
    std::string raw;
    std::vector<grpc::Slice> slices;
    if (!answer.Dump(&slices).ok()) return absl::InternalError("the answer cannot be read");
    for (const grpc::Slice& piece : slices) raw.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
    if (!response.ParseFromString(raw))
      return absl::InternalError("the answer cannot be read; do the versions differ?");
    return absl::OkStatus();
  }

 private:
  const Target target_;
  grpc::GenericStub stub_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> MakeGrpcClient(const Target& target) {
  rpc::TlsFiles files;
  files.authority = target.ca;
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = rpc::ClientCredentials(files);
  if (!credentials.ok()) return credentials.status();
  return std::make_unique<GrpcClient>(rpc::MakeChannel(target.server, *credentials), target);
}

}  // namespace sluice::cli
