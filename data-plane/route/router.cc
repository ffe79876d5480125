#include "data-plane/route/router.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

namespace sluice {
namespace {

constexpr size_t kFewRules = 4;  // looking at each costs less than finding those that are worth a look

bool IsStronger(const RouteRule& a, const RouteRule& b) {
  if (a.strength() != b.strength()) return a.strength() > b.strength();
  if (a.created_at() != b.created_at()) return a.created_at() < b.created_at();
  return a.route()->id < b.route()->id;
}

}  // namespace

Router::Router(std::vector<RouteRule> rules) : rules_(std::move(rules)) {
  std::stable_sort(rules_.begin(), rules_.end(), IsStronger);
  rules_.shrink_to_fit();
  if (rules_.size() > kFewRules) index_ = std::make_unique<const Index>(rules_);
}

Router::Index::Index(const std::vector<RouteRule>& rules) {
  for (uint32_t rank = 0; rank < rules.size(); ++rank) {
    const RouteRule& rule = rules[rank];
    if (rule.hosts().empty()) any_host.Add(rule, rank);
    for (const HostPattern& host : rule.hosts()) {
      by_host[host.text].Add(rule, rank);
      if (host.kind != HostPattern::Kind::kPlain) has_wildcards = true;
    }
  }
}

void Router::PathIndex::Add(const RouteRule& rule, uint32_t rank) {
  if (rule.plain_paths().empty()) {
    others.push_back(rank);
    return;
  }
  for (const std::string& path : rule.plain_paths()) {
    by_path[path].push_back(rank);
    const auto at = std::lower_bound(lengths.begin(), lengths.end(), path.size());
    if (at == lengths.end() || *at != path.size()) lengths.insert(at, path.size());
  }
}

void Router::PathIndex::Collect(std::string_view path, Ranks& ranks) const {
  ranks.insert(ranks.end(), others.begin(), others.end());
  for (size_t length : lengths) {
    if (length > path.size()) break;
    const auto found = by_path.find(absl::string_view(path.data(), length));
    if (found != by_path.end()) ranks.insert(ranks.end(), found->second.begin(), found->second.end());
  }
}

void Router::Index::CollectHost(std::string_view host, std::string_view path, Ranks& ranks) const {
  const auto found = by_host.find(absl::string_view(host.data(), host.size()));
  if (found != by_host.end()) found->second.Collect(path, ranks);
}

void Router::Index::Collect(const RouteQuery& query, Ranks& ranks) const {
  any_host.Collect(query.path, ranks);
  CollectHost(query.host, query.path, ranks);
  if (!has_wildcards) return;
  for (size_t dot = query.host.find('.'); dot != std::string_view::npos; dot = query.host.find('.', dot + 1)) {
    CollectHost(query.host.substr(dot), query.path, ranks);
    CollectHost(query.host.substr(0, dot + 1), query.path, ranks);
  }
}

Match Router::Find(const RouteQuery& query) const {
  Match match;
  if (index_ == nullptr) {
    for (const RouteRule& rule : rules_) {
      if (rule.Matches(query, match)) return match;
    }
    return {};
  }
  Ranks ranks;
  index_->Collect(query, ranks);
  std::sort(ranks.begin(), ranks.end());
  for (uint32_t rank : ranks) {
    if (rules_[rank].Matches(query, match)) return match;
  }
  return {};
}

}  // namespace sluice
