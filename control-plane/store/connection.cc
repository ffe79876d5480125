#include "control-plane/store/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "control-plane/store/binary.h"
#include "control-plane/store/errors.h"

namespace sluice::store {
namespace {

// PostgreSQL counts microseconds from 2000-01-01.
constexpr auto kPostgresEpoch = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);

std::string_view ViewOf(const char* text) { return text == nullptr ? std::string_view() : text; }

}  // namespace

Parameters& Parameters::Add(std::string value) {
  values_.push_back(std::move(value));
  return *this;
}

Parameters& Parameters::Int(int64_t value) {
  std::string bytes;
  AppendBigEndian(bytes, value);
  return Add(std::move(bytes));
}

Parameters& Parameters::Time(WallTime value) {
  return Int(std::chrono::duration_cast<std::chrono::microseconds>(value - kPostgresEpoch).count());
}

Result::Result(pg_result* result) : result_(result, PQclear) {}

int Result::rows() const { return PQntuples(result_.get()); }

std::string_view Result::Raw(int row, int column) const {
  SLUICE_CHECK(row < rows() && column < PQnfields(result_.get()));
  return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

std::string Result::Text(int row, int column) const { return std::string(Raw(row, column)); }

int64_t Result::Int(int row, int column) const {
  const std::string_view bytes = Raw(row, column);
  SLUICE_CHECK(bytes.size() == 2 || bytes.size() == 4 || bytes.size() == 8);
  uint64_t value = static_cast<signed char>(bytes[0]) < 0 ? ~uint64_t{0} : 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<int64_t>(value);
}

bool Result::Bool(int row, int column) const { return Raw(row, column) == std::string_view("\1", 1); }

WallTime Result::Time(int row, int column) const {
  return kPostgresEpoch + std::chrono::microseconds(Int(row, column));
}

Connection::~Connection() { PQfinish(connection_); }

absl::Status Connection::Reconnect() {
  PQfinish(connection_);
  is_lost_ = false;
  prepared_.clear();
  const char* keywords[] = {"dbname", "application_name", "client_encoding", "connect_timeout", "tcp_user_timeout",
                            "keepalives_idle", "keepalives_interval", "keepalives_count", nullptr};
  const char* values[] = {options_.database.c_str(), "sluice-control-plane", "UTF8", "3", "10000", "5", "2", "3",
                          nullptr};
  connection_ = PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  SLUICE_CHECK(connection_ != nullptr);
  if (PQstatus(connection_) != CONNECTION_OK) {
    std::string reason = PQerrorMessage(connection_);
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    return absl::UnavailableError("cannot reach the database: " + reason);
  }
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  PQsetnonblocking(connection_, 1);  // so that a large statement waits in AwaitReady, too
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(options_.statement_timeout).count();
  return Execute(absl::StrCat("set statement_timeout = ", milliseconds,
                              "; set idle_in_transaction_session_timeout = ", milliseconds)
                     .c_str());
}

bool Connection::IsUsable() {
  if (connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK) return false;
  // An idle connection has next to nothing to say but that it ends.
  pollfd event{PQsocket(connection_), POLLIN, 0};
  return poll(&event, 1, 0) == 0 && PQtransactionStatus(connection_) == PQTRANS_IDLE;
}

absl::StatusOr<Result> Connection::Check(pg_result* raw) {
  Result result(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return result;
  const std::string_view state = ViewOf(PQresultErrorField(raw, PG_DIAG_SQLSTATE));
  const std::string_view constraint = ViewOf(PQresultErrorField(raw, PG_DIAG_CONSTRAINT_NAME));
  const std::string_view message = ViewOf(PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY));
  return StatusFromSqlState(state, constraint, state.empty() ? "the connection was lost" : message);
}

absl::Status Connection::Prepare(const Statement& statement) {
  if (prepared_.contains(statement.name)) return absl::OkStatus();
  auto result = Await(PQsendPrepare(connection_, statement.name, statement.sql, 0, nullptr));
  if (!result.ok()) return result.status();
  prepared_.insert(statement.name);
  return absl::OkStatus();
}

absl::StatusOr<Result> Connection::Run(const Statement& statement, const Parameters& parameters) {
  absl::Status status = Prepare(statement);
  if (!status.ok()) return status;
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : parameters.values_) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(values.size(), Parameters::kBinary);
  return Await(PQsendQueryPrepared(connection_, statement.name, static_cast<int>(values.size()), values.data(),
                                   lengths.data(), formats.data(), Parameters::kBinary));
}

absl::Status Connection::Execute(const char* sql) { return Await(PQsendQuery(connection_, sql)).status(); }

absl::Status Connection::Copy(const char* sql, CopyRows rows) {
  if (PQsendQuery(connection_, sql) == 0) return absl::UnavailableError("database: the connection was lost");
  const MonotonicTime deadline = Deadline();
  if (!AwaitReady(deadline)) return GiveUp();
  pg_result* const begun = PQgetResult(connection_);
  if (PQresultStatus(begun) != PGRES_COPY_IN) return Last(begun, deadline).status();
  PQclear(begun);
  const std::string bytes = std::move(rows).Finish();
  bool whole = true;
  for (size_t at = 0; whole && at < bytes.size(); at += kMaxUnsent) {
    const size_t size = std::min(kMaxUnsent, bytes.size() - at);
    whole = PQputCopyData(connection_, bytes.data() + at, static_cast<int>(size)) == 1;
    if (!AwaitSent(deadline)) return GiveUp();
  }
  if (PQputCopyEnd(connection_, whole ? nullptr : "not all of it could be sent") != 1) return GiveUp();
  return Last(nullptr, deadline).status();
}

MonotonicTime Connection::Deadline() const {
  const Duration patience = options_.statement_timeout + kAnswerGrace;
  return patient_ ? MonotonicTime::max() : std::chrono::steady_clock::now() + patience;
}

absl::Status Connection::GiveUp() {
  PQfinish(connection_);
  connection_ = nullptr;
  return absl::UnavailableError("database: the server does not answer");
}

absl::StatusOr<Result> Connection::Await(int sent) {
  if (sent == 0) return absl::UnavailableError("database: the connection was lost");
  return Last(nullptr, Deadline());
}

absl::StatusOr<Result> Connection::Last(pg_result* last, MonotonicTime deadline) {
  while (AwaitReady(deadline)) {
    pg_result* const next = PQgetResult(connection_);
    if (next == nullptr) return Check(last);
    PQclear(last);
    last = next;
  }
  PQclear(last);
  return GiveUp();
}

bool Connection::AwaitReady(MonotonicTime deadline) {
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0 || (unsent == 0 && PQisBusy(connection_) == 0)) return true;
    if (!AwaitSocket(unsent > 0, deadline)) return is_lost_;
  }
}

bool Connection::AwaitSent(MonotonicTime deadline) {
  while (PQflush(connection_) > 0) {
    if (!AwaitSocket(true, deadline)) return is_lost_;
  }
  return true;
}

bool Connection::AwaitSocket(bool to_send, MonotonicTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd event{PQsocket(connection_), static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN), 0};
  constexpr int64_t kMaxPollMs = 60'000;
  poll(&event, 1, static_cast<int>(std::min<int64_t>(left.count(), kMaxPollMs)));
  is_lost_ = (event.revents & ~POLLOUT) != 0 && PQconsumeInput(connection_) == 0;
  return !is_lost_;
}

int Connection::descriptor() const { return PQsocket(connection_); }

absl::StatusOr<bool> Connection::ReadNotifications() {
  if (PQconsumeInput(connection_) == 0) return absl::UnavailableError("the connection was lost");
  bool any = false;
  while (PGnotify* notification = PQnotifies(connection_)) {
    PQfreemem(notification);
    any = true;
  }
  return any;
}

absl::Status Transaction::Begin() {
  absl::Status status = connection_.Execute("begin");
  open_ = status.ok();
  return status;
}

absl::Status Transaction::Commit() {
  open_ = false;
  absl::Status status = connection_.Execute("commit");
  if (absl::IsUnavailable(status)) return absl::UnavailableError("the connection was lost while committing");
  return status;
}

Transaction::~Transaction() {
  // Where it fails the connection is broken, and the server rolls back by itself.
  if (open_) connection_.Execute("rollback").IgnoreError();
}

}  // namespace sluice::store
