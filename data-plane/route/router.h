#pragma once

// Finds the route of a request: the strongest rule that matches; of equally strong ones the route that was created
// first, then the one with the smaller id. Rules are looked up by host (wildcards by each of its ends) and by the
// prefixes of the path, so that most rules of a large gateway are never looked at. Immutable once built; callable from
// every thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "data-plane/route/route_rule.h"

namespace sluice {

class Router {
 public:
  explicit Router(std::vector<RouteRule> rules);

  Match Find(const RouteQuery& query) const;

 private:
  using Ranks = absl::InlinedVector<uint32_t, 16>;  // positions in rules_

  // Rules by path: those with plain paths under each of them, the others apart.
  struct PathIndex {
    std::vector<size_t> lengths;  // of the paths, each once, ascending
    absl::flat_hash_map<std::string, std::vector<uint32_t>> by_path;
    std::vector<uint32_t> others;
    void Add(const RouteRule& rule, uint32_t rank);
    void Collect(std::string_view path, Ranks& ranks) const;
  };

  struct Index {
    explicit Index(const std::vector<RouteRule>& rules);
    void Collect(const RouteQuery& query, Ranks& ranks) const;
    void CollectHost(std::string_view host, std::string_view path, Ranks& ranks) const;
    // By the text of each host: a suffix begins with a dot, a prefix ends with one, and a plain host does neither.
    absl::flat_hash_map<std::string, PathIndex> by_host;
    bool has_wildcards = false;
    PathIndex any_host;
  };

  std::vector<RouteRule> rules_;       // strongest first
  std::unique_ptr<const Index> index_;  // null where looking at each rule costs less
};

}  // namespace sluice
