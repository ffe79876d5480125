#pragma once

// The syntaxes of strings: one function a format. Stateless.

#include <string>
#include <string_view>

#include "sluice/schema/v1/schema.pb.h"

namespace sluice::schema {

// "" where `text` has the format, else what is wrong with it. Never repeats more than 128 bytes of it.
std::string FormatError(v1::Format format, std::string_view text);

// The path as the data plane will see it: unreserved escapes decoded, other escapes in upper case, dot segments
// removed, slashes merged.
std::string NormalizePath(std::string_view path);

}  // namespace sluice::schema
