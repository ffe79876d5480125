#pragma once

// One call of one admin method: who asks, and what is kept of it. Lives as long as the call, on its thread.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "control-plane/access/access.h"
#include "control-plane/admin/services.h"
#include "google/protobuf/message.h"

namespace sluice::admin {

struct Call {
  std::string method;  // "/sluice.admin.v1.Gateways/CreateGateway"
  access::Caller caller;
  std::string request_id;   // the request's, else of the x-request-id metadata, else made up
  std::string fingerprint;  // of a request that may be made once only; "": its request_id is for the audit alone
  std::string peer;
  std::string gateway;     // id once known, before that as asked for
  std::string detail;      // the request, redacted
  bool audited = false;    // the change was committed along with its record
  bool repeated = false;   // it was made by an earlier call with this request_id: audited as REPEATED
  std::function<bool()> cancelled = [] { return false; };

  store::AuditRecord Audit(std::string outcome = "OK") const;
};

// What arrived with a call besides its request.
struct Arrival {
  std::string_view method;
  std::string_view authorization;
  std::string_view request_id;  // of the metadata
  std::string peer;
};

// Authenticates, authorises and reads the request_id; a refusal of the latter two is audited.
absl::Status BeginCall(const AdminDeps& deps, const Arrival& arrival, const google::protobuf::Message& request,
                       Call& call);

// Audits what was not audited along with a commit, and passes the status on.
absl::Status EndCall(const AdminDeps& deps, const Call& call, absl::Status status);

}  // namespace sluice::admin
