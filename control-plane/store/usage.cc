// What gateways were asked for.

#include "absl/strings/str_cat.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

#define SLUICE_USAGE_COLUMNS "requests, refused, limited, too_large, failed, request_bytes, response_bytes"
#define SLUICE_USAGE_ADD(table)                                                                                     \
  "insert into " table " as u (gateway_id, at, " SLUICE_USAGE_COLUMNS ")"                                           \
  " select n.id, date_trunc($10, least(greatest(to_timestamp($1::bigint), now() - interval '35 days'), now()),"     \
  " 'UTC'), n.a::bigint, n.b::bigint, n.c::bigint, n.d::bigint, n.e::bigint, n.f::bigint, n.g::bigint"              \
  " from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])"    \
  " as n (id, a, b, c, d, e, f, g) join gateways on gateways.id = n.id order by n.id"                               \
  " on conflict (gateway_id, at) do update set requests = u.requests + excluded.requests,"                          \
  " refused = u.refused + excluded.refused, limited = u.limited + excluded.limited,"                                \
  " too_large = u.too_large + excluded.too_large, failed = u.failed + excluded.failed,"                             \
  " request_bytes = u.request_bytes + excluded.request_bytes,"                                                      \
  " response_bytes = u.response_bytes + excluded.response_bytes"

constexpr Statement kTake = {
    "take_usage",
    "insert into usage_reports as r (node, process, number, at) values ($1, $2, $3::bigint, now())"
    " on conflict (node) do update set process = excluded.process, number = excluded.number, at = now()"
    " where r.process <> excluded.process or r.number < excluded.number returning 1::bigint"};
constexpr Statement kAddMinutes = {"add_usage_minutes", SLUICE_USAGE_ADD("usage_minutes")};
constexpr Statement kAddHours = {"add_usage_hours", SLUICE_USAGE_ADD("usage_hours")};
constexpr Statement kMinutes = {"usage_by_minute", "select at, " SLUICE_USAGE_COLUMNS
                                                   " from usage_minutes where gateway_id = $1 and at >= $2 order by at"
                                                   " limit $3::bigint"};
constexpr Statement kHours = {"usage_by_hour", "select at, " SLUICE_USAGE_COLUMNS
                                               " from usage_hours where gateway_id = $1 and at >= $2 order by at"
                                               " limit $3::bigint"};
constexpr Statement kDays = {
    "usage_by_day",
    "select date_trunc('day', at, 'UTC') as day, sum(requests)::bigint, sum(refused)::bigint, sum(limited)::bigint,"
    " sum(too_large)::bigint, sum(failed)::bigint, sum(request_bytes)::bigint, sum(response_bytes)::bigint"
    " from usage_hours where gateway_id = $1 and at >= $2 group by day order by day limit $3::bigint"};
// Of a self-managed gateway (kind 2) nodes of its own are asked.
constexpr Statement kBusiest = {
    "busiest_minute",
    "select coalesce(max(n), 0)::bigint from (select sum(u.requests) as n from usage_minutes u"
    " join gateways g on g.id = u.gateway_id where g.cell = $1 and g.kind <> 2 and u.at > now() - interval '4 minutes'"
    " group by u.at) as minutes"};
constexpr Statement kPruneMinutes = {"prune_usage_minutes",
                                     "delete from usage_minutes where at < now() - interval '3 days'"};
constexpr Statement kPruneHours = {"prune_usage_hours",
                                   "delete from usage_hours where at < now() - interval '35 days'"};
constexpr Statement kPruneReports = {"prune_usage_reports",
                                     "delete from usage_reports where at < now() - interval '35 days'"};

Parameters RowsOf(const UsageReport& report, const char* unit) {
  std::vector<std::string> ids, columns[7];
  for (const auto& [id, usage] : report.gateways) {
    ids.push_back(id);
    const int64_t values[] = {usage.requests, usage.refused,       usage.limited,       usage.too_large,
                              usage.failed,   usage.request_bytes, usage.response_bytes};
    for (size_t i = 0; i < std::size(values); ++i) columns[i].push_back(absl::StrCat(values[i]));
  }
  Parameters parameters;
  parameters.Int(report.minute).TextArray(ids);
  for (const auto& column : columns) parameters.TextArray(column);
  parameters.Text(unit);
  return parameters;
}

}  // namespace

absl::Status PostgresStore::AddUsage(const UsageReport& report) {
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  if (absl::Status status = transaction.Begin(); !status.ok()) return status;
  auto taken = connection.Run(kTake, Parameters().Text(report.node).Text(report.process).Int(report.number));
  if (!taken.ok()) return taken.status();
  if (taken->rows() == 0) return absl::OkStatus();  // it is among them
  absl::Status status = connection.Run(kAddMinutes, RowsOf(report, "minute")).status();
  if (status.ok()) status = connection.Run(kAddHours, RowsOf(report, "hour")).status();
  return status.ok() ? transaction.Commit() : status;
}

absl::StatusOr<std::vector<UsageRow>> PostgresStore::GetUsage(const std::string& gateway_id, UsageStep step,
                                                              WallTime since, int limit) {
  const Statement& statement = step == UsageStep::kMinute ? kMinutes : step == UsageStep::kHour ? kHours : kDays;
  auto rows = Run(statement, Parameters().Text(gateway_id).Time(since).Int(limit));
  if (!rows.ok()) return rows.status();
  std::vector<UsageRow> usage;
  for (int row = 0; row < rows->rows(); ++row) {
    usage.push_back({rows->Time(row, 0),
                     {rows->Int(row, 1), rows->Int(row, 2), rows->Int(row, 3), rows->Int(row, 4), rows->Int(row, 5),
                      rows->Int(row, 6), rows->Int(row, 7)}});
  }
  return usage;
}

absl::StatusOr<double> PostgresStore::RequestsPerSecond(const std::string& cell) {
  auto rows = Run(kBusiest, Parameters().Text(cell));
  if (!rows.ok()) return rows.status();
  return static_cast<double>(rows->Int(0, 0)) / 60;
}

absl::Status PostgresStore::PruneUsage() {
  absl::Status status;
  for (const Statement* prune : {&kPruneMinutes, &kPruneHours, &kPruneReports}) {
    if (status.ok()) status = Run(*prune).status();
  }
  return status;
}

}  // namespace sluice::store
