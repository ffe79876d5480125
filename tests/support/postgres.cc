#include "tests/support/postgres.h"

#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "catch2/catch.hpp"
#include "tests/support/eventually.h"

namespace sluice::test {
namespace {

// The newest installed.
std::string BinFolder() {
  std::string newest;
  int newest_major = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
    const int major = std::atoi(entry.path().filename().c_str());
    if (major > newest_major) {
      newest_major = major;
      newest = entry.path() / "bin";
    }
  }
  return newest;
}

std::vector<std::string> AsServerUser(std::vector<std::string> command) {
  if (geteuid() != 0) return command;
  std::vector<std::string> whole = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

}  // namespace

Postgres::Postgres(Empty) {
  if (geteuid() != 0) return;
  const passwd* user = getpwnam("postgres");
  REQUIRE(user != nullptr);
  REQUIRE(chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) == 0);
}

Postgres::Postgres() : Postgres(Empty()) {
  const Finished made = Run(AsServerUser({BinFolder() + "/initdb", "-D", folder_ / "data", "-U", "postgres", "-A",
                                          "trust", "-E", "UTF8", "--locale=C", "--no-sync"}));
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  Start();
}

std::unique_ptr<Postgres> Postgres::SynchronousStandbyOf(Postgres& primary) {
  std::unique_ptr<Postgres> standby(new Postgres(Empty()));
  const Finished copied =
      Run(AsServerUser({BinFolder() + "/pg_basebackup", "-h", primary.host(), "-U", "postgres", "-D",
                        standby->folder_ / "data", "--write-recovery-conf", "--wal-method=stream", "--no-sync",
                        "--checkpoint=fast"}));
  INFO(copied.err);
  REQUIRE(copied.exit_code == 0);
  standby->Start();
  REQUIRE(Eventually([&] {
    return primary.Query("select count(*) from pg_stat_replication where state = 'streaming'") == "1\n";
  }));
  primary.Query("alter system set synchronous_standby_names = '*'");
  primary.Query("select pg_reload_conf()");
  REQUIRE(Eventually([&] {
    return primary.Query("select count(*) from pg_stat_replication where sync_state = 'sync'") == "1\n";
  }));
  return standby;
}

void Postgres::Promote() {
  CHECK(Query("select pg_promote()") == "t\n");
}

Postgres::~Postgres() {
  if (server_ == nullptr) return;
  server_->End(SIGQUIT);  // its children end with it, and what it leaves behind is removed with the folder
}

void Postgres::Start() {
  const std::vector<std::string> command =
      AsServerUser({BinFolder() + "/postgres", "-D", folder_ / "data", "-k", folder_.path(), "-c", "listen_addresses=",
                    "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60"});
  // One that was killed is refused its place until the last of its children has noticed.
  const bool ready = Eventually([&] {
    if (server_ == nullptr || !server_->running()) server_ = std::make_unique<Process>(command, "/dev/null");
    return Run({"pg_isready", "-q", "-h", folder_.path(), "-U", "postgres"}).exit_code == 0;
  });
  REQUIRE(ready);
}

void Postgres::Kill() {
  server_->Kill();
  server_.reset();
}

// The server's own process makes new ones only; the others are its children.
void Postgres::Freeze() {
  server_->Signal(SIGSTOP);
  Run({"pkill", "-STOP", "-P", std::to_string(server_->pid())});
}

void Postgres::Thaw() {
  Run({"pkill", "-CONT", "-P", std::to_string(server_->pid())});
  server_->Signal(SIGCONT);
}

void Postgres::Stop() {
  server_->Signal(SIGINT);
  server_->Wait();
  server_.reset();
}

void Postgres::Restart() {
  Stop();
  Start();
}

std::string Postgres::ConnectionString(const std::string& database) const {
  return "host=" + folder_.path() + " user=postgres dbname=" + database;
}

std::string Postgres::CreateDatabase() {
  const std::string name = "test" + std::to_string(++databases_);
  Query(ConnectionString("postgres"), "create database " + name);
  return ConnectionString(name);
}

std::string Postgres::Query(const std::string& database, const std::string& sql) const {
  const Finished finished = Run({"psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql});
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished.out;
}

Postgres& SharedPostgres() {
  static Postgres cluster;
  return cluster;
}

}  // namespace sluice::test
