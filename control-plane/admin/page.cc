#include "control-plane/admin/page.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "control-plane/access/access.h"
#include "control-plane/admin/errors.h"

namespace sluice::admin {

namespace {

constexpr size_t kQueryBytes = 8;  // of the query's hash

std::string QueryMark(std::string_view query) { return access::HashToken(query).substr(0, kQueryBytes); }

}  // namespace

absl::StatusOr<Page> ReadPage(std::string_view query, uint32_t page_size, const std::string& page_token) {
  Page page;
  if (page_size > 0) page.size = static_cast<int>(std::min<uint32_t>(page_size, kMaxPageSize));
  if (page_token.empty()) return page;
  std::string raw;
  if (page_token.size() > kMaxPageTokenBytes || !absl::WebSafeBase64Unescape(page_token, &raw) ||
      raw.size() <= kQueryBytes || raw.substr(0, kQueryBytes) != QueryMark(query)) {
    return InvalidField("page_token", "is not a token that this listing gave; start again without one", "PAGE_TOKEN");
  }
  page.cursor = raw.substr(kQueryBytes);
  return page;
}

std::string MakePageToken(std::string_view query, std::string_view cursor) {
  std::string token;
  absl::WebSafeBase64Escape(QueryMark(query) + std::string(cursor), &token);
  return token;
}

}  // namespace sluice::admin
