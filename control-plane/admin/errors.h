#pragma once

// Errors as the admin API answers them: a canonical code, a sentence, and google.rpc details, which travel as payloads
// of absl::Status until the call ends. Stateless; callable from every thread.

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/schema/violation.h"
#include "google/protobuf/message.h"

namespace sluice::admin {

// gRPC clients take 8 KiB of trailers by default: more details than this are left out, and counted in ErrorInfo's
// metadata.
inline constexpr size_t kMaxErrorDetailBytes = 6000;
inline constexpr size_t kMaxErrorMessageBytes = 500;

// INVALID_ARGUMENT with every violation, the first of a field only. `rename` turns a violation's field into the path
// that the caller knows.
using Rename = std::function<std::string(const std::string& field)>;
absl::Status Invalid(const schema::Violations& violations, const Rename& rename = nullptr);
absl::Status InvalidField(std::string field, std::string message, std::string reason = "INVALID");

// NOT_FOUND with ResourceInfo: "no gateway 'shop'; `sluice gateway list` shows what there is".
absl::Status NotFound(std::string_view type, std::string_view name, std::string_view help = "");

// Any error with an ErrorInfo.
absl::Status WithReason(absl::StatusCode code, std::string message, std::string reason,
                        const std::map<std::string, std::string>& metadata = {});

// A detail more.
void AddDetail(absl::Status& status, const google::protobuf::Message& detail);

// What the store answered, as a caller should read it: UNAVAILABLE says that it is the database, everything that no
// caller can do anything about becomes INTERNAL and is logged.
absl::Status FromStore(const absl::Status& status);

// google.rpc.Status of the error, serialised, at most kMaxErrorDetailBytes of details.
std::string StatusDetails(const absl::Status& status);
std::string StatusMessage(const absl::Status& status);

}  // namespace sluice::admin
