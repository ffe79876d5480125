#pragma once

// "Did you mean ...": the nearest of some known words. Stateless.

#include <string>
#include <string_view>
#include <vector>

namespace sluice::schema {

// The known word with the fewest edits to `word`, "" where none is near (more than a third of its letters).
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

// ", did you mean 'x'?" or "".
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

}  // namespace sluice::schema
