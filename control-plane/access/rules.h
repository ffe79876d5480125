#pragma once

// What a role may call, method by method. A method that is not in the table is refused to everyone, and a test fails
// for it. Immutable; callable from every thread.

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "control-plane/access/access.h"

namespace sluice::access {

struct MethodRule {
  std::string_view method;  // "/sluice.admin.v1.Gateways/CreateGateway"
  Role role;                // the least that may call it
  bool changes = false;     // an audit record is kept of every call, refused ones included
};

std::span<const MethodRule> MethodRules();

// Null for a method without a rule.
const MethodRule* FindRule(std::string_view method);

// PERMISSION_DENIED names the role that is missing.
absl::Status Authorize(const Caller& caller, std::string_view method);

}  // namespace sluice::access
