#pragma once

// Words for the tests of configurations: documents in, complete configurations or violations as text out. Header only.

#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "common/config/config.h"
#include "common/config/diff.h"
#include "common/config/entity.h"
#include "common/config/limits.h"
#include "common/schema/schema.h"

namespace sluice::config {

inline google::protobuf::Struct Json(const std::string& text) {
  google::protobuf::Struct out;
  std::string error;
  INFO(text);
  if (!schema::ParseJson(text, out, error)) FAIL(error);
  return out;
}

// A document with `body` behind its version: R"("services": [])".
inline google::protobuf::Struct Document(const std::string& body) {
  return Json(R"({"_format_version":"3.0",)" + body + "}");
}

// "field: message" a line.
inline std::string Text(const schema::Violations& violations) {
  std::string out;
  for (const schema::Violation& violation : violations.list()) {
    if (!out.empty()) out += "\n";
    out += violation.field + ": " + violation.message;
  }
  return out;
}

struct Outcome {
  v1::GatewayConfig config;
  schema::Violations violations;
  std::string text() const { return Text(violations); }
  // Of the only violation.
  std::string field() const { return violations.total() == 1 ? violations.list()[0].field : "several: " + text(); }
  std::string reason() const { return violations.total() == 1 ? violations.list()[0].reason : "several: " + text(); }
};

// What applying a document does: parse, complete, validate.
inline Outcome Apply(const google::protobuf::Struct& document, const v1::Plan& plan = ServerlessPlan(),
                     const FleetRules& rules = {}) {
  Outcome out;
  DocumentPaths paths;
  *out.config.mutable_plan() = plan;
  ParseDocument(document, out.config, out.violations, &paths);
  Complete(out.config, out.violations, &paths);
  Validate(out.config, rules, out.violations, &paths);
  return out;
}
inline Outcome Apply(const std::string& body) {
  return Apply(Document(body));
}

// The complete configuration of a document without mistakes.
inline v1::GatewayConfig Good(const std::string& body) {
  Outcome outcome = Apply(body);
  CHECK(outcome.text() == "");
  return outcome.config;
}

// What the document changes in a gateway that has `current`.
inline std::vector<Change> Changes(const v1::GatewayConfig& current, const google::protobuf::Struct& document) {
  v1::GatewayConfig wanted;
  *wanted.mutable_plan() = current.plan();
  schema::Violations violations;
  ParseDocument(document, wanted, violations);
  AdoptIdentities(current, wanted);
  Complete(wanted, violations);
  CHECK(Text(violations) == "");
  return Diff(current, wanted);
}

// "update route r paths[0] before -> after", a line each.
inline std::string Text(const std::vector<Change>& changes) {
  constexpr const char* kActions[] = {"create", "update", "delete"};
  std::string out;
  for (const Change& change : changes) {
    if (!out.empty()) out += "\n";
    out += std::string(kActions[static_cast<int>(change.action)]) + " " + change.kind + " " + change.name;
    for (const FieldChange& field : change.fields) {
      out += " " + field.field + " " + field.before + " -> " + field.after;
    }
  }
  return out;
}

}  // namespace sluice::config
