// What gRPC clients are told by the gateway itself.

#include "data-plane/proxy/grpc.h"

#include "catch2/catch.hpp"

using sluice::http::ResponseHead;
using sluice::proxy::GrpcStatus;
using sluice::proxy::IsGrpc;
using sluice::proxy::MakeGrpcReply;

TEST_CASE("gRPC is told by its content type") {
  CHECK(IsGrpc("application/grpc"));
  CHECK(IsGrpc("application/grpc+proto"));
  CHECK(IsGrpc("Application/GRPC; charset=utf-8"));
  CHECK_FALSE(IsGrpc("application/grpc-web"));
  CHECK_FALSE(IsGrpc("application/json"));
  CHECK_FALSE(IsGrpc(""));
}

TEST_CASE("statuses become those that Kong answers with") {
  CHECK(GrpcStatus(401) == 16);
  CHECK(GrpcStatus(404) == 5);
  CHECK(GrpcStatus(429) == 8);
  CHECK(GrpcStatus(503) == 14);
  CHECK(GrpcStatus(418) == 2);
}

TEST_CASE("a refusal is a 200 whose fields carry the status and the escaped message") {
  ResponseHead head;
  head.status = 429;
  head.fields.Add("Content-Type", "application/json");
  head.fields.Add("Retry-After", "1");
  MakeGrpcReply(head, "100 % of\nthe limit");
  CHECK(head.status == 200);
  CHECK(head.fields.Get("content-type") == "application/grpc");
  CHECK(head.fields.Get("grpc-status") == "8");
  CHECK(head.fields.Get("grpc-message") == "100 %25 of%0Athe limit");
  CHECK(head.fields.Get("retry-after") == "1");
}

TEST_CASE("a refusal without words has the status's phrase") {
  ResponseHead head;
  head.status = 502;
  MakeGrpcReply(head, "");
  CHECK(head.fields.Get("grpc-message") == "Bad Gateway");
}
