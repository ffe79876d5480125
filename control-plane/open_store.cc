#include "control-plane/open_store.h"

#include "common/observe/log.h"
#include "control-plane/fleet/files.h"

namespace sluice {
namespace {

// The keys that seal what the database keeps: of the environment, else of the file, which is made with a new database.
absl::StatusOr<store::KeyRing> SecretKeys(const Flags& flags, bool fresh) {
  std::string from = "SLUICE_SECRET_KEY", text = flags.secret_key;
  if (text.empty()) {
    const std::string path = flags.secret_key_file.empty() ? flags.state + "/secret-key" : flags.secret_key_file;
    auto content = fleet::ReadSmallFile(path);
    if (absl::IsNotFound(content.status()) && fresh) {
      absl::Status created = fleet::CreateFile(path, store::KeyRing::NewKey(), 0600);
      if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
      if (created.ok())
        log::Info("the secret key was made; keep a copy of it apart from the database", {{"path", path}});
      content = fleet::ReadSmallFile(path);
    }
    if (absl::IsNotFound(content.status())) {
      return absl::FailedPreconditionError("there is no secret key file " + path +
                                           ", but the database is sealed with " +
                                           "one: put it back, or give --secret-key-file");
    }
    if (!content.ok()) return content.status();
    from = "secret key file " + path;
    text = *std::move(content);
  }
  auto keys = store::KeyRing::Parse(text);
  if (keys.ok()) return keys;
  return absl::InvalidArgumentError(from + ": " + std::string(keys.status().message()));
}

}  // namespace

absl::StatusOr<std::string> DatabaseOf(const Flags& flags) {
  if (flags.database_file.empty()) return flags.database;
  auto content = fleet::ReadSmallFile(flags.database_file);
  if (!content.ok()) return content;
  const size_t end = content->find_last_not_of(" \r\n\t");
  return content->substr(0, end == std::string::npos ? 0 : end + 1);
}

store::Options StoreOptions(const Flags& flags, const std::string& database) {
  store::Options options{database};
  options.keys = [&flags](bool fresh) { return SecretKeys(flags, fresh); };
  return options;
}

absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const store::Options& options, const Clock& clock,
                                                        const sigset_t& ends) {
  const MonotonicTime deadline = clock.Now() + kDatabasePatience;
  auto store = store::Store::Open(options, kDatabaseAttempt);
  while (absl::IsUnavailable(store.status()) && clock.Now() < deadline) {
    const timespec now{};
    if (sigtimedwait(&ends, nullptr, &now) > 0) return absl::CancelledError("stopped while waiting for the database");
    store = store::Store::Open(options, kDatabaseAttempt);
  }
  return store;
}

}  // namespace sluice
