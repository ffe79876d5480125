#pragma once

// What gRPC asks of a proxy: its content type, and answers of the gateway's own in its terms (the specification
// "gRPC over HTTP2"). Pure.

#include <string_view>

#include "data-plane/http/head.h"

namespace sluice::proxy {

// "application/grpc", alone or with a suffix ("+proto") or parameters.
bool IsGrpc(std::string_view content_type);

// The grpc-status that stands for a gateway's HTTP status, as Kong translates it.
int GrpcStatus(int http_status);

// Makes an answer of the gateway's own one that a gRPC client understands: 200 with grpc-status and grpc-message, and
// no body. Fields about a body are removed.
void MakeGrpcReply(http::ResponseHead& head, std::string_view message);

}  // namespace sluice::proxy
