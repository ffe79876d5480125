#pragma once

// A request as an audit record keeps it. Stateless; callable from every thread.

#include <string>

#include "google/protobuf/message.h"

namespace sluice::access {

// A longer request is kept as its size alone. The names of as many gateways as an import may have fit, if they are of
// usual length.
inline constexpr size_t kMaxDetailBytes = 16 * 1024;

// JSON of the message: fields marked secret read "***"; free-form parts (plugin configurations, documents) are left
// out, since what is secret in them is not known here.
std::string AuditDetail(const google::protobuf::Message& request);

}  // namespace sluice::access
