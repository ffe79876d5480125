#pragma once

// JSON objects of requests and responses: bounded depth, order kept, never an exception. Pure.

#include <cstddef>
#include <string>
#include <string_view>

#include "nlohmann/json_fwd.hpp"

namespace sluice::plugins {

using Json = nlohmann::ordered_json;

inline constexpr int kMaxJsonDepth = 64;

// False where the text is no JSON object, or nested deeper than kMaxJsonDepth.
bool ParseJsonObject(std::string_view text, Json& out);

// Invalid UTF-8 becomes U+FFFD.
std::string DumpJson(const Json& json);

// In place of what `to` was; false where `from` is absent.
bool RenameMember(Json& object, const std::string& from, const std::string& to);

// Makes a list of what is there and of the value; a list of the value alone where nothing was.
void AppendToMember(Json& object, const std::string& name, Json value);

}  // namespace sluice::plugins
