#include "common/rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>

#include <set>

#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace sluice::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

class Reflection final : public grpc::reflection::v1::ServerReflection::Service {
 public:
  explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

  grpc::Status ServerReflectionInfo(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<ServerReflectionResponse, ServerReflectionRequest>* stream) override {
    ServerReflectionRequest request;
    for (int count = 0; stream->Read(&request); ++count) {
      if (count >= kMaxReflectionRequests) {
        return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many questions on one stream; open another"};
      }
      ServerReflectionResponse response;
      response.set_valid_host(request.host());
      *response.mutable_original_request() = request;
      Answer(request, response);
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }

 private:
  void Answer(const ServerReflectionRequest& request, ServerReflectionResponse& response) const {
    switch (request.message_request_case()) {
      case ServerReflectionRequest::kListServices:
        for (const std::string& name : services_) {
          response.mutable_list_services_response()->add_service()->set_name(name);
        }
        return;
      case ServerReflectionRequest::kFileByFilename:
        return Describe(pool_.FindFileByName(request.file_by_filename()), response);
      case ServerReflectionRequest::kFileContainingSymbol:
        return Describe(pool_.FindFileContainingSymbol(request.file_containing_symbol()), response);
      case ServerReflectionRequest::kFileContainingExtension: {
        const auto& wanted = request.file_containing_extension();
        const auto* type = pool_.FindMessageTypeByName(wanted.containing_type());
        const FieldDescriptor* extension =
            type == nullptr ? nullptr : pool_.FindExtensionByNumber(type, wanted.extension_number());
        return Describe(extension == nullptr ? nullptr : extension->file(), response);
      }
      case ServerReflectionRequest::kAllExtensionNumbersOfType:
        return Extensions(request.all_extension_numbers_of_type(), response);
      case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
        return Fail(grpc::StatusCode::INVALID_ARGUMENT, "the question is empty", response);
    }
  }

  // The file and everything it imports, each once, the imports first.
  static void Describe(const FileDescriptor* file, ServerReflectionResponse& response) {
    if (file == nullptr) return Fail(grpc::StatusCode::NOT_FOUND, "not known here", response);
    std::set<const FileDescriptor*> seen;
    Add(file, seen, *response.mutable_file_descriptor_response());
  }

  static void Add(const FileDescriptor* file, std::set<const FileDescriptor*>& seen,
                  grpc::reflection::v1::FileDescriptorResponse& out) {
    if (!seen.insert(file).second) return;
    for (int i = 0; i < file->dependency_count(); ++i) Add(file->dependency(i), seen, out);
    google::protobuf::FileDescriptorProto proto;
    file->CopyTo(&proto);
    out.add_file_descriptor_proto(proto.SerializeAsString());
  }

  void Extensions(const std::string& type_name, ServerReflectionResponse& response) const {
    const auto* type = pool_.FindMessageTypeByName(type_name);
    if (type == nullptr) return Fail(grpc::StatusCode::NOT_FOUND, "not known here", response);
    std::vector<const FieldDescriptor*> extensions;
    pool_.FindAllExtensions(type, &extensions);
    auto& out = *response.mutable_all_extension_numbers_response();
    out.set_base_type_name(type_name);
    for (const FieldDescriptor* extension : extensions) out.add_extension_number(extension->number());
  }

  static void Fail(grpc::StatusCode code, const char* message, ServerReflectionResponse& response) {
    response.mutable_error_response()->set_error_code(code);
    response.mutable_error_response()->set_error_message(message);
  }

  const std::vector<std::string> services_;
  const DescriptorPool& pool_ = *DescriptorPool::generated_pool();
};

}  // namespace

std::unique_ptr<grpc::Service> MakeReflectionService(std::vector<std::string> services) {
  return std::make_unique<Reflection>(std::move(services));
}

}  // namespace sluice::rpc
