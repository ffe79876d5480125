#include "data-plane/sync/bases_file.h"

#include <fstream>
#include <sstream>

#include "common/observe/log.h"
#include "common/quota/wire.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

constexpr char kName[] = "shares";

std::string Path(const std::string& folder) { return folder + "/" + kName; }

}  // namespace

std::optional<quota::Bases> ReadBases(const std::string& folder) {
  std::ifstream in(Path(folder), std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  lease::v1::Bases bases;
  if (bases.ParseFromString(std::move(text).str())) return quota::FromWire(bases);
  log::Error("which parts of limits are this node's own cannot be read; it has none until it is told",
             {{"path", Path(folder)}});
  return quota::Bases{};
}

absl::Status WriteBases(const std::string& folder, const quota::Bases& bases) {
  return ReplaceFile(folder, kName, quota::ToWire(bases).SerializeAsString());
}

}  // namespace sluice::sync
