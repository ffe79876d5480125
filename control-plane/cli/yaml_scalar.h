#pragma once

// What a scalar of a YAML file means. Stateless; callable from every thread.

#include <string>
#include <string_view>

#include "control-plane/cli/yaml.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::cli {

// How it was written: 3.0, "3.0", !!str 3.0.
enum class ScalarStyle { kPlain, kQuoted, kTaggedString };

// "" where it is fine, else what is wrong. Variables are replaced in plain and quoted scalars.
std::string ReadScalar(std::string text, ScalarStyle style, const Variable& variable, google::protobuf::Value& out);

// Whether a plain scalar of this text would be read as this very string, here and by readers of YAML 1.1.
bool IsPlainString(std::string_view text);

}  // namespace sluice::cli
