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

Postgres::Postgres() {
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    REQUIRE(user != nullptr);
    REQUIRE(chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) == 0);
  }
  const Finished made = Run(AsServerUser({BinFolder() + "/initdb", "-D", folder_ / "data", "-U", "postgres", "-A",
                                          "trust", "-E", "UTF8", "--locale=C", "--no-sync"}));
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  Start();
}

Postgres::~Postgres() {
  if (server_ == nullptr) return;
  server_->End(SIGQUIT);  // its children end with it, and what it leaves behind is removed with the folder
}

void Postgres::Start() {
  server_ = std::make_unique<Process>(
      AsServerUser({BinFolder() + "/postgres", "-D", folder_ / "data", "-k", folder_.path(), "-c",
                    "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60"}),
      "/dev/null");
  const bool ready = Eventually([&] {
    return Run({"pg_isready", "-q", "-h", folder_.path(), "-U", "postgres"}).exit_code == 0;
  });
  REQUIRE(ready);
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
