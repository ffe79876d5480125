#pragma once

// A request as an audit record keeps it. Stateless; callable from every thread.

#include <string>

#include "google/protobuf/message.h"

namespace sluice::access {

inline constexpr size_t kMaxDetailBytes = 4096;  // a longer request is kept as its size alone

// JSON of the message: fields marked secret read "***"; free-form parts (plugin configurations, documents) are left
// out, since what is secret in them is not known here.
std::string AuditDetail(const google::protobuf::Message& request);

}  // namespace sluice::access
