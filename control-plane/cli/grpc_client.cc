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
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  details.set_code(status.error_code());
  details.set_message(message);
  return FromRpc(details);
}

grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status FromBuffer(const grpc::ByteBuffer& buffer, google::protobuf::Message& message) {
  std::string raw;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return absl::InternalError("the answer cannot be read");
  for (const grpc::Slice& piece : slices) raw.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  if (message.ParseFromString(raw)) return absl::OkStatus();
  return absl::InternalError("the answer cannot be read; do the versions differ?");
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
    grpc::CompletionQueue queue;
    const auto call = stub_.PrepareUnaryCall(&context, Path(method), ToBuffer(request), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    Done(queue);
    return status.ok() ? FromBuffer(answer, response) : FromGrpc(status, target_.server);
  }

  absl::Status Stream(const std::string& method, const google::protobuf::Message& request,
                      google::protobuf::Message& response, const std::function<bool()>& take) override {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + target_.token);
    grpc::CompletionQueue queue;
    const auto call = stub_.PrepareCall(&context, Path(method), &queue);
    call->StartCall(this);
    bool going = Done(queue);
    if (going) call->WriteLast(ToBuffer(request), grpc::WriteOptions(), this);
    going = going && Done(queue);
    absl::Status read;
    bool taken = true;
    while (going && read.ok() && taken) {
      grpc::ByteBuffer answer;
      call->Read(&answer, this);
      going = Done(queue);
      if (going) read = FromBuffer(answer, response);
      if (going && read.ok()) taken = take();
    }
    if (!read.ok() || !taken) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, this);
    Done(queue);
    return !read.ok() || !taken ? read : FromGrpc(status, target_.server);
  }

 private:
  static std::string Path(const std::string& method) { return "/sluice.admin.v1." + method; }

  // Of the one operation that is under way: whether it succeeded.
  static bool Done(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }

  const Target target_;
  grpc::GenericStub stub_;
};

}  // namespace

absl::Status FromRpc(const google::rpc::Status& status) {
  absl::Status out(static_cast<absl::StatusCode>(status.code()), status.message());
  for (const google::protobuf::Any& detail : status.details()) {
    out.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return out;
}

absl::StatusOr<std::unique_ptr<Client>> MakeGrpcClient(const Target& target) {
  rpc::TlsFiles files;
  files.authority = target.ca;
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = rpc::ClientCredentials(files);
  if (!credentials.ok()) return credentials.status();
  return std::make_unique<GrpcClient>(rpc::MakeChannel(target.server, *credentials), target);
}

}  // namespace sluice::cli
