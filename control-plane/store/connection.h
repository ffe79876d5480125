#pragma once

// One connection to PostgreSQL: prepared statements with typed parameters and results. Belongs to one thread at a time;
// the pool hands it around. A broken connection answers UNAVAILABLE until Reconnect.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/store/binary.h"
#include "control-plane/store/copy.h"
#include "control-plane/store/store.h"

struct pg_conn;
struct pg_result;

namespace sluice::store {

// Prepared on a connection the first time it is run there. Constants, told apart by name.
struct Statement {
  const char* name;
  const char* sql;
};

// In the order of $1, $2, ...; values travel in binary, so that no text is ever quoted.
class Parameters {
 public:
  Parameters& Text(std::string_view value) { return Add(std::string(value)); }
  Parameters& Bytes(std::string_view value) { return Add(std::string(value)); }
  Parameters& Int(int64_t value);  // bigint
  Parameters& Time(WallTime value);
  Parameters& TextArray(const std::vector<std::string>& values) { return Add(BinaryTextArray(values)); }

 private:
  friend class Connection;
  static constexpr int kBinary = 1;
  Parameters& Add(std::string value);
  std::vector<std::string> values_;
};

class Result {
 public:
  explicit Result(pg_result* result);
  int rows() const;
  std::string Text(int row, int column) const;  // also bytea
  int64_t Int(int row, int column) const;       // smallint, integer, bigint
  bool Bool(int row, int column) const;
  WallTime Time(int row, int column) const;

 private:
  std::string_view Raw(int row, int column) const;
  std::shared_ptr<pg_result> result_;
};

inline constexpr Duration kAnswerGrace = std::chrono::seconds(5);

class Connection {
 public:
  explicit Connection(Options options) : options_(std::move(options)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Reconnect();
  // False too where the server has closed it meanwhile. Costs no round trip.
  bool IsUsable();

  absl::StatusOr<Result> Run(const Statement& statement, const Parameters& parameters = {});
  // `sql` is a constant COPY table (columns) FROM STDIN (FORMAT binary). Errors are those of an INSERT.
  absl::Status Copy(const char* sql, CopyRows rows);
  // Constant SQL without parameters: BEGIN, COMMIT, LISTEN, migrations.
  absl::Status Execute(const char* sql);
  // From now on an answer may take any time. Else a server that does not answer for the statement's time and
  // kAnswerGrace is given up, as one is that hangs while its machine keeps the connection open.
  void SetPatient(bool patient) { patient_ = patient; }

  // For waiting on notifications.
  int descriptor() const;
  // Reads what has arrived; true where a notification was among it. UNAVAILABLE: the connection is gone.
  absl::StatusOr<bool> ReadNotifications();

 private:
  absl::Status Prepare(const Statement& statement);
  // What the server answers to what was sent; `sent` is what libpq said of sending it.
  absl::StatusOr<Result> Await(int sent);
  // The last of what is answered, after `last`, which is its own from here on.
  absl::StatusOr<Result> Last(pg_result* last, MonotonicTime deadline);
  MonotonicTime Deadline() const;
  // False: the server does not answer. True too where the connection is found to be lost, which reading says.
  bool AwaitReady(MonotonicTime deadline);  // everything is sent and a result can be read
  bool AwaitSent(MonotonicTime deadline);   // everything is sent
  bool AwaitSocket(bool to_send, MonotonicTime deadline);
  absl::Status GiveUp();
  absl::StatusOr<Result> Check(pg_result* result);

  const Options options_;
  static constexpr size_t kMaxUnsent = 64 * 1024;  // bytes of a Copy that libpq keeps

  bool patient_ = false;
  bool is_lost_ = false;
  pg_conn* connection_ = nullptr;
  std::unordered_set<std::string> prepared_;
};

// BEGIN, and ROLLBACK unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  absl::Status Begin();
  absl::Status Commit();

 private:
  Connection& connection_;
  bool open_ = false;
};

}  // namespace sluice::store
