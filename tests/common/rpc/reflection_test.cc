#include "common/rpc/reflection.h"

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>

#include "catch2/catch.hpp"
#include "common/rpc/server.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace sluice::rpc {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
  const auto service = MakeReflectionService({"a.v1.B"});
  auto server = Server::Start("127.0.0.1:0", *ServerCredentials({}),
                              [&](grpc::ServerBuilder& builder) { builder.RegisterService(service.get()); });
  REQUIRE(server.ok());
  const auto stub = grpc::reflection::v1::ServerReflection::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string((*server)->port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  ServerReflectionResponse response;
  REQUIRE(stream->Write(request));
  REQUIRE(stream->Read(&response));
  stream->WritesDone();
  CHECK(stream->Finish().ok());
  return response;
}

TEST_CASE("reflection lists the services it was given") {
  ServerReflectionRequest request;
  request.set_list_services("");
  const ServerReflectionResponse response = Ask(request);
  REQUIRE(response.list_services_response().service_size() == 1);
  CHECK(response.list_services_response().service(0).name() == "a.v1.B");
}

TEST_CASE("reflection describes a symbol by its file and what that imports") {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("grpc.reflection.v1.ServerReflection");
  const ServerReflectionResponse response = Ask(request);
  REQUIRE(response.file_descriptor_response().file_descriptor_proto_size() == 1);
  google::protobuf::FileDescriptorProto file;
  REQUIRE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
  CHECK(file.name() == "grpc/reflection/v1/reflection.proto");
}

TEST_CASE("reflection answers NOT_FOUND to a name that nobody has") {
  ServerReflectionRequest request;
  request.set_file_by_filename("no/such.proto");
  CHECK(Ask(request).error_response().error_code() == grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace sluice::rpc
