#pragma once

// What a plugin's configuration must satisfy beyond its schema: rules across fields, and texts with a syntax of their
// own. Asked by Validate behind schema::Check. Stateless; callable from every thread.

#include <string>
#include <string_view>
#include <utility>

#include "common/schema/place.h"
#include "common/schema/violation.h"
#include "google/protobuf/message.h"

namespace sluice::config {

// `config` is complete (schema::FillDefaults); messages of other types have no rules. `place` as in schema::Check.
void CheckPluginRules(const google::protobuf::Message& config, const schema::Place& place,
                      schema::Violations& violations);

// How many regexes nodes compile for it.
size_t CountRegexes(const google::protobuf::Message& config);

// "name:value" at its first colon; the value is "" where there is none.
std::pair<std::string_view, std::string_view> SplitPair(std::string_view pair);

// An origin that is compared as it is; others are patterns.
bool IsLiteralOrigin(std::string_view origin);

}  // namespace sluice::config
