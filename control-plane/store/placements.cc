// Cells, and the steps of gateways that move between them.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr Statement kListCells = {
    "list_cells",
    "select name, capacity, address, draining, array_to_string(array(select unnest(members) union select"
    " unnest(enlisted)), ',') from cells order by name"};
// Nobody else makes a cell meanwhile.
constexpr Statement kLockCells = {"lock_cells", "select pg_advisory_xact_lock(hashtext('sluice cells'))"};
constexpr Statement kCountOthers = {"count_other_cells", "select count(*) from cells where name <> $1"};
constexpr Statement kPutCell = {
    "put_cell",
    "insert into cells (name, capacity, address) values ($1, $2, $3)"
    " on conflict (name) do update set capacity = excluded.capacity, address = excluded.address"};
constexpr Statement kSetDraining = {
    "drain_cell", "update cells set draining = $2::bigint = 1 where name = $1 returning 1::bigint"};
constexpr Statement kInUse = {
    "cell_in_use",
    "select (select count(*) from gateways where cell = c.name or (move <> 0 and other_cell = c.name)),"
    " cardinality(c.enlisted) from cells c where name = $1 for update of c"};
constexpr Statement kDeleteCell = {"delete_cell", "delete from cells where name = $1"};
// Whoever moves there keeps the cell from being deleted.
constexpr Statement kKeepCells = {"keep_cells",
                                  "select 1::bigint from cells where name = any ($1::text[]) for key share"};
// Gateways first, in one order, and the clock last, as every writer does.
constexpr Statement kLockMoves = {
    "lock_moves", "select 1::bigint from gateways where id = any ($1::text[]) order by id for update"};
constexpr Statement kPlace = {
    "place_gateways",
    "with wanted as (select g.id, n.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
    "   $6::text[], $7::text[]) as n (gateway, cell, other, move, to_cell, to_other, to_move)"
    "  join gateways g on g.id = n.gateway and g.cell = n.cell and g.other_cell = n.other"
    "  and g.move = n.move::smallint),"
    " numbered as (select *, row_number() over (order by id) as place from wanted),"
    " tick as (update config_clock set revision = revision + (select count(*) from numbered)"
    "  returning revision - (select count(*) from numbered) as base),"
    " g as (update gateways set cell = n.to_cell, other_cell = n.to_other, move = n.to_move::smallint,"
    "   revision = tick.base + n.place from numbered n, tick where gateways.id = n.id),"
    " c as (update gateway_config set cell = n.to_cell, other_cell = n.to_other, move = n.to_move::smallint,"
    "   revision = tick.base + n.place, good_at = case when good_at = revision then tick.base + n.place end"
    "   from numbered n, tick where gateway_id = n.id)"
    " select count(*) from numbered"};

std::string MoveText(Move move) { return absl::StrCat(static_cast<int>(move)); }

}  // namespace

absl::StatusOr<std::vector<CellRow>> PostgresPlacements::ListCells() {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  auto rows = (*connection)->Run(kListCells);
  if (!rows.ok()) return rows.status();
  std::vector<CellRow> cells;
  for (int row = 0; row < rows->rows(); ++row) {
    cells.push_back({rows->Text(row, 0), rows->Int(row, 1), rows->Text(row, 2), rows->Bool(row, 3),
                     absl::StrSplit(rows->Text(row, 4), ',', absl::SkipEmpty())});
  }
  return cells;
}

absl::Status PostgresPlacements::PutCell(const CellRow& cell, const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) {
    absl::Status status = connection.Run(kLockCells).status();
    if (!status.ok()) return status;
    auto others = connection.Run(kCountOthers, Parameters().Text(cell.name));
    if (!others.ok()) return others.status();
    if (others->Int(0, 0) >= static_cast<int64_t>(kMaxCells)) {
      return absl::ResourceExhaustedError(absl::StrCat("there are ", kMaxCells, " cells, as many as may be"));
    }
    return connection.Run(kPutCell, Parameters().Text(cell.name).Int(cell.capacity).Text(cell.address)).status();
  });
}

absl::Status PostgresPlacements::SetDraining(const std::string& cell, bool draining, const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) {
    auto set = connection.Run(kSetDraining, Parameters().Text(cell).Int(draining ? 1 : 0));
    if (!set.ok()) return set.status();
    return set->rows() == 1 ? absl::OkStatus() : absl::NotFoundError("there is no such cell");
  });
}

absl::Status PostgresPlacements::DeleteCell(const std::string& cell, const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) {
    auto use = connection.Run(kInUse, Parameters().Text(cell));
    if (!use.ok()) return use.status();
    if (use->rows() == 0) return absl::NotFoundError("there is no such cell");
    if (use->Int(0, 0) + use->Int(0, 1) > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(use->Int(0, 0), " gateways and ", use->Int(0, 1), " nodes are in it"));
    }
    return connection.Run(kDeleteCell, Parameters().Text(cell)).status();
  });
}

absl::StatusOr<int64_t> PostgresPlacements::Place(const std::vector<PlacementChange>& changes) {
  if (changes.empty()) return 0;
  std::vector<std::string> columns[7], cells;
  for (const PlacementChange& change : changes) {
    const std::string values[] = {change.gateway_id, change.from.cell, change.from.other, MoveText(change.from.move),
                                  change.to.cell,    change.to.other,  MoveText(change.to.move)};
    for (size_t i = 0; i < std::size(values); ++i) columns[i].push_back(values[i]);
    cells.insert(cells.end(), {change.to.cell, change.to.other});
  }
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = connection.Run(kKeepCells, Parameters().TextArray(cells)).status();
  if (status.ok()) status = connection.Run(kLockMoves, Parameters().TextArray(columns[0])).status();
  if (!status.ok()) return status;
  Parameters parameters;
  for (const auto& column : columns) parameters.TextArray(column);
  auto placed = TickAndCommit(connection, transaction, kPlace, parameters);
  if (!placed.ok()) return placed.status();
  return placed->Int(0, 0);
}

}  // namespace sluice::store
