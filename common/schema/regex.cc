#include "common/schema/regex.h"

#include <string>

#include "common/schema/text.h"

namespace sluice::schema {

absl::StatusOr<std::unique_ptr<re2::RE2>> CompileRegex(std::string_view pattern) {
  if (pattern.size() > kMaxRegexBytes) {
    return absl::InvalidArgumentError(
        Cat("invalid regex: ", pattern.size(), " bytes, at most ", kMaxRegexBytes, " are allowed"));
  }
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  auto regex = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex->ok()) {
    std::string error = Cat("invalid regex: ", regex->error());
    if (!regex->error_arg().empty()) error += Cat(" at '", EscapeBytes(regex->error_arg()), "'");
    return absl::InvalidArgumentError(error);
  }
  return regex;
}

}  // namespace sluice::schema
