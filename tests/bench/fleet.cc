// Makes a fleet out of one gateway: writes a node's last good configuration anew with COUNT copies of the gateway of a
// given name, each with an id and a host of its own. Importing them through the control plane would take minutes and
// measure something else.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data-plane/sync/bases_file.h"
#include "data-plane/sync/last_good.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice {
namespace {

constexpr int kMaxCopies = 100'000;

int Fail(std::string_view message) {
  std::fprintf(stderr, "bench-fleet: %s\n", std::string(message).c_str());
  return 1;
}

int Main(const std::string& from, const std::string& to, const std::string& name, int copies) {
  const auto from_key = sync::StateKey::Open(from, "", ""), to_key = sync::StateKey::Open(to, "", "");
  if (!from_key.ok() || !to_key.ok()) return Fail("a state key cannot be read");
  absl::StatusOr<sync::v1::Snapshot> snapshot = sync::ReadSnapshot(from, *from_key);
  if (!snapshot.ok()) return Fail(std::string(snapshot.status().message()));
  config::v1::GatewayConfig config;
  sync::v1::GatewayUpdate update;
  for (const sync::v1::GatewayUpdate& held : snapshot->gateways()) {
    if (!config.ParseFromString(held.config())) return Fail("a configuration does not parse");
    if (config.name() == name) {
      update = held;
      break;
    }
  }
  if (config.name() != name) return Fail("there is no gateway of that name");
  for (int i = 0; i < copies; ++i) {
    const std::string id = absl::StrFormat("00000000-0000-4000-8000-%012x", i);
    config.set_id(id);
    config.set_name(absl::StrCat(name, i));
    config.clear_hosts();
    config.add_hosts(absl::StrCat(name, i, ".gw.localhost"));
    update.set_gateway_id(id);
    update.set_config(config.SerializeAsString());
    *snapshot->add_gateways() = update;
  }
  absl::Status written = sync::WriteSnapshot(to, *to_key, snapshot->SerializeAsString());
  // The node that serves it is alone, and has all of every limit.
  if (written.ok()) written = sync::WriteBases(to, {.committed = {.epoch = 1, .members = 1, .index = 0}});
  return written.ok() ? 0 : Fail(std::string(written.message()));
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  const int copies = argc == 5 ? std::atoi(argv[4]) : 0;
  if (copies < 1 || copies > sluice::kMaxCopies) {
    std::fprintf(stderr, "usage: bench-fleet FROM-FOLDER TO-FOLDER GATEWAY COPIES\n");
    return 64;
  }
  return sluice::Main(argv[1], argv[2], argv[3], copies);
}
