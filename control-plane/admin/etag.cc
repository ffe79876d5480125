#include "control-plane/admin/etag.h"

#include <charconv>

#include "common/schema/text.h"
#include "control-plane/admin/errors.h"

namespace sluice::admin {

using schema::Cat;

std::string MakeEtag(int64_t version) {
  return std::to_string(version);
}

absl::Status CheckEtag(const std::string& etag, const std::string& gateway, int64_t version) {
  if (etag.empty() || etag == MakeEtag(version)) return absl::OkStatus();
  int64_t known = 0;
  const auto read = std::from_chars(etag.data(), etag.data() + etag.size(), known);
  if (known < 1 || read.ptr != etag.data() + etag.size()) {
    return InvalidField("etag", "this is none: send back the one of an answer, or leave it out", "ETAG");
  }
  return WithReason(absl::StatusCode::kAborted,
                    Cat("gateway '", gateway, "' is at version ", version, ", not ", known,
                        " any more, so nothing was changed; read it again and change what is there now"),
                    "ETAG_MISMATCH", {{"version", MakeEtag(version)}, {"expected_version", etag}});
}

}  // namespace sluice::admin
