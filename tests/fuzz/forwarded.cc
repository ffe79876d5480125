// X-Forwarded-For and Forwarded: nothing that a client wrote changes what a proxy adds behind it. Each line of the
// input is a field.

#include <algorithm>
#include <string>
#include <vector>

#include "data-plane/http/forwarded.h"
#include "data-plane/io/address.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

std::vector<std::string> Lines(std::string_view input) {
  std::vector<std::string> lines(1);
  for (char c : input) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

http::Fields FieldsOf(std::string_view name, const std::vector<std::string>& lines) {
  http::Fields fields;
  for (const std::string& line : lines) fields.AppendView(name, line);
  return fields;
}

void CheckHops(const http::ForwardedHops& hops) {
  SLUICE_CHECK(hops.size() <= http::kMaxForwardedHops);
  for (const std::string& hop : hops) SLUICE_CHECK(!hop.empty() && io::CanonicalAddress(hop) == hop);
}

}  // namespace

void Run(std::string_view input) {
  const std::vector<std::string> lines = Lines(input);
  std::vector<std::string> added = lines;
  const http::ForwardedHops listed = http::HopsOfXForwardedFor(FieldsOf("x-forwarded-for", lines));
  CheckHops(listed);
  added.back() += ", 192.0.2.1";
  http::ForwardedHops longer = http::HopsOfXForwardedFor(FieldsOf("x-forwarded-for", added));
  SLUICE_CHECK(longer.front() == "192.0.2.1");
  longer.erase(longer.begin());
  SLUICE_CHECK(longer.size() <= listed.size() && std::equal(longer.begin(), longer.end(), listed.begin()));

  http::ForwardedHops hops, hops_added;
  const bool well_formed = http::HopsOfForwarded(FieldsOf("forwarded", lines), hops);
  if (well_formed) CheckHops(hops);
  added.back() = lines.back() + ", for=192.0.2.1";
  SLUICE_CHECK(http::HopsOfForwarded(FieldsOf("forwarded", added), hops_added) == well_formed);
  SLUICE_CHECK(!well_formed || hops_added.front() == "192.0.2.1");
}

}  // namespace sluice::fuzz
