#include "control-plane/store/cells.h"

#include "absl/strings/str_split.h"
#include "control-plane/store/connection.h"

namespace sluice::store {
namespace {

// Names of nodes have no commas.
constexpr Statement kTake = {
    "take_cell",
    "update cells set owner = $2, owner_address = $4, term = term + 1,"
    " owned_until = now() + $3::bigint * interval '1 millisecond'"
    " where name = $1 and (owned_until < now() or owner = $2)"
    " returning term, epoch, array_to_string(members, ','), guests, array_to_string(enlisted, ',')"};
constexpr Statement kOwnerAddress = {"owner_address",
                                     "select owner_address from cells where name = $1 and owned_until >= now()"};
constexpr Statement kRenew = {
    "renew_cell",
    "update cells set owned_until = now() + $3::bigint * interval '1 millisecond' where name = $1 and term = $2::bigint"
    " returning term, epoch, array_to_string(members, ','), guests, array_to_string(enlisted, ',')"};
constexpr Statement kCommit = {
    "commit_cell",
    "update cells set epoch = $3::bigint, members = $4::text[], guests = $5::bigint = 1"
    " where name = $1 and term = $2::bigint returning 1::bigint"};
constexpr Statement kRelease = {"release_cell",
                                "update cells set owned_until = now() where name = $1 and term = $2::bigint"};
constexpr Statement kEnlist = {
    "enlist", "update cells set enlisted = array_append(enlisted, $2) where name = $1 and $2 <> all (enlisted)"};
constexpr Statement kDelist = {"delist", "update cells set enlisted = array_remove(enlisted, $2) where name = $1"};

std::vector<std::string> Names(const std::string& joined) {
  return absl::StrSplit(joined, ',', absl::SkipEmpty());
}

class PostgresCells final : public Cells {
 public:
  explicit PostgresCells(const Options& options) : connection_(options) {}

  absl::StatusOr<std::optional<CellRecord>> Take(const std::string& cell, const CellOwner& owner,
                                                 Duration time) override {
    return Read(Run(kTake, Parameters().Text(cell).Text(owner.replica).Int(Milliseconds(time)).Text(owner.address)));
  }
  absl::StatusOr<std::string> OwnerAddress(const std::string& cell) override {
    auto rows = Run(kOwnerAddress, Parameters().Text(cell));
    if (!rows.ok()) return rows.status();
    return rows->rows() == 0 ? "" : rows->Text(0, 0);
  }
  absl::StatusOr<std::optional<CellRecord>> Renew(const std::string& cell, int64_t term, Duration time) override {
    return Read(Run(kRenew, Parameters().Text(cell).Int(term).Int(Milliseconds(time))));
  }
  absl::StatusOr<bool> Commit(const std::string& cell, const CellRecord& record) override {
    auto rows = Run(kCommit, Parameters().Text(cell).Int(record.term).Int(record.epoch).TextArray(record.members).Int(
                                 record.guests ? 1 : 0));
    if (!rows.ok()) return rows.status();
    return rows->rows() == 1;
  }
  absl::Status Release(const std::string& cell, int64_t term) override {
    return Run(kRelease, Parameters().Text(cell).Int(term)).status();
  }
  absl::Status Enlist(const std::string& cell, const std::string& node) override {
    return Run(kEnlist, Parameters().Text(cell).Text(node)).status();
  }
  absl::Status Delist(const std::string& cell, const std::string& node) override {
    return Run(kDelist, Parameters().Text(cell).Text(node)).status();
  }

 private:
  static int64_t Milliseconds(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  }

  absl::StatusOr<Result> Run(const Statement& statement, const Parameters& parameters) {
    if (!connection_.IsUsable()) {
      if (absl::Status status = connection_.Reconnect(); !status.ok()) return status;
    }
    return connection_.Run(statement, parameters);
  }

  static absl::StatusOr<std::optional<CellRecord>> Read(const absl::StatusOr<Result>& rows) {
    if (!rows.ok()) return rows.status();
    if (rows->rows() == 0) return std::nullopt;
    return CellRecord{rows->Int(0, 0), rows->Int(0, 1), Names(rows->Text(0, 2)), rows->Bool(0, 3),
                      Names(rows->Text(0, 4))};
  }

  Connection connection_;
};

}  // namespace

std::unique_ptr<Cells> Cells::Make(const Options& options) {
  return std::make_unique<PostgresCells>(options);
}

}  // namespace sluice::store
