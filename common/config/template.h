#pragma once

// Texts with lookups of the request at hand: `Bearer $(headers['x-token'] or 'none')`. A lookup is `table['name']`,
// `table["name"]`, `table.name` or `table[1]`, where table is headers, query_params or uri_captures; alternatives and
// literals follow behind `or`. Parsed once, when the configuration is checked or compiled; immutable afterwards.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::config {

class Template {
 public:
  static constexpr size_t kMaxRenderedBytes = 16 * 1024;

  enum class Table { kLiteral, kHeaders, kQueryParams, kUriCaptures };
  // What the request has under that name; empty where it has nothing.
  using Lookup = std::function<std::optional<std::string>(Table table, const std::string& name)>;

  // INVALID_ARGUMENT says what is wrong at which byte.
  static absl::StatusOr<Template> Parse(std::string_view text);

  // What nothing is found for reads "". False where the result is longer than kMaxRenderedBytes.
  bool Render(const Lookup& lookup, std::string& out) const;
  bool has_lookups() const { return has_lookups_; }

 private:
  struct Term {
    Table table;
    std::string name;  // or the literal
  };
  friend class TemplateParser;
  std::vector<std::vector<Term>> pieces_;  // each the first of its terms that is found
  bool has_lookups_ = false;
};

}  // namespace sluice::config
