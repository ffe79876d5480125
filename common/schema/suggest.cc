#include "common/schema/suggest.h"

#include <algorithm>
#include <numeric>

#include "common/schema/text.h"

namespace sluice::schema {
namespace {

constexpr size_t kMaxWord = 64;  // the cost is the product of the lengths

size_t Edits(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kMaxWord) return "";
  std::string best;
  size_t fewest = word.size() / 3 + 1;  // exclusive bound is one more than a third
  for (const std::string& candidate : known) {
    const size_t edits = Edits(word, candidate);
    if (edits <= fewest && edits < std::max(word.size(), candidate.size()) && (best.empty() || edits < fewest)) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? "" : Cat(", did you mean '", nearest, "'?");
}

}  // namespace sluice::schema
