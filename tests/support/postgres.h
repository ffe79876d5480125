#pragma once

// A throw-away PostgreSQL cluster on a Unix socket below /tmp, gone with the object. Where the tests run as root it
// runs as the user `postgres`, since it refuses root. Test thread only.

#include <memory>
#include <string>

#include "tests/support/process.h"

namespace sluice::test {

class Postgres {
 public:
  Postgres();  // made and started; fails the test where that is not possible
  ~Postgres();
  Postgres(const Postgres&) = delete;

  // A second server that follows `primary` and confirms its commits: none is acknowledged before it is on both.
  static std::unique_ptr<Postgres> SynchronousStandbyOf(Postgres& primary);
  void Promote();  // of a standby: it takes writes when this returns

  void Start();
  void Stop();     // as an operator would: connections are ended, nothing is lost
  void Kill();     // SIGKILL: what was not committed is lost
  void Restart();
  void Freeze();   // every process of it stops and keeps its connections, as on a machine that hangs
  void Thaw();
  std::string host() const { return folder_.path(); }  // as libpq names it: where the socket is
  std::string conninfo() const { return ConnectionString("postgres"); }  // of the database that is there from the start
  // The connection string of a new, empty database.
  std::string CreateDatabase();
  // What psql prints (unaligned, rows only); fails the test on an error.
  std::string Query(const std::string& database, const std::string& sql) const;
  std::string Query(const std::string& sql) const { return Query(conninfo(), sql); }

 private:
  struct Empty {};
  explicit Postgres(Empty);  // a folder for it, nothing more
  std::string ConnectionString(const std::string& database) const;

  TempDir folder_;
  std::unique_ptr<Process> server_;
  int databases_ = 0;
};

// One cluster for all tests of an executable: making one takes a second, a database of its own some milliseconds.
Postgres& SharedPostgres();

}  // namespace sluice::test
