#include "control-plane/cli/write_flags.h"

#include <algorithm>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/client.h"

namespace sluice::cli {

namespace {

using schema::Cat;

constexpr uint32_t kMaxTimeoutSeconds = 300;
constexpr Duration kTimeoutSlack = std::chrono::seconds(5);  // the server answers first
constexpr int kMaxNamed = 5;                                 // nodes in a sentence

}  // namespace

void WriteFlags::AddTo(CLI::App& command) {
  command.add_flag("--wait", wait, "Return when every connected node serves it");
  command.add_option("--timeout", timeout_s, "Seconds to wait at most")
      ->check(CLI::Range(1U, kMaxTimeoutSeconds))
      ->capture_default_str();
  command.add_flag("--dry-run", dry_run, "Check and show what would change");
  command.add_option("--request-id", request_id,
                     "For scripts that try again: made once, however often it is asked for with this id in 24 hours");
}

void WriteFlags::AddIfVersionTo(CLI::App& command) {
  command.add_option("--if-version", if_version, "Only where the gateway is still at this version")
      ->check(CLI::PositiveNumber);
}

void WriteFlags::AddMessageTo(CLI::App& command) {
  command.add_option("-m,--message", message, "Kept with the version");
}

Duration WriteFlags::CallTimeout() const {
  return wait ? std::max<Duration>(kCallTimeout, std::chrono::seconds(timeout_s) + kTimeoutSlack) : kCallTimeout;
}

std::string LiveOn(const WriteFlags& flags, const admin::v1::Rollout& rollout) {
  if (!flags.wait || flags.dry_run) return "";
  if (rollout.applied().empty()) return "; no node is connected that could serve it";
  std::string text = ", live on ";
  for (int i = 0; i < std::min(kMaxNamed, rollout.applied_size()); ++i) {
    text += Cat(i == 0 ? "" : ", ", rollout.applied(i));
  }
  const int more = rollout.applied_size() - kMaxNamed;
  return more > 0 ? Cat(text, " and ", more, " more") : text;
}

}  // namespace sluice::cli
