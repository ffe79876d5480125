#include "control-plane/store/address.h"

#include <libpq-fe.h>

#include <memory>

#include "absl/strings/str_split.h"

namespace sluice::store {
namespace {

constexpr char kDefaultPort[] = "5432";

std::vector<std::string> List(const std::string& text) {
  if (text.empty()) return {};
  return absl::StrSplit(text, ',');
}

}  // namespace

std::vector<std::string> ServerAddresses(const std::string& database) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(database.c_str(), nullptr),
                                                                             PQconninfoFree);
  std::string host, address, port;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword;
    if (keyword == "host") host = option->val;
    if (keyword == "hostaddr") address = option->val;
    if (keyword == "port") port = option->val;
  }
  const std::vector<std::string> hosts = List(address.empty() ? host : address);
  const std::vector<std::string> ports = List(port);
  std::vector<std::string> addresses;
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (hosts[i].empty() || hosts[i].front() == '/' || hosts[i].front() == '@') continue;
    // One port stands for every host.
    const std::string own = ports.empty() ? "" : ports[ports.size() == hosts.size() ? i : 0];
    const bool v6 = hosts[i].find(':') != std::string::npos;
    addresses.push_back((v6 ? "[" + hosts[i] + "]" : hosts[i]) + ":" + (own.empty() ? kDefaultPort : own));
  }
  return addresses;
}

absl::Status CheckConnectionString(const std::string& database) {
  const bool is_url = database.starts_with("postgres://") || database.starts_with("postgresql://");
  if (!is_url && database.find('=') == std::string::npos) return absl::OkStatus();  // the name of a database
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(database.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (options != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      is_url ? "the database's URL cannot be read: what is special in a password is written as %40, %2F, ..."
             : "the database's connection string cannot be read: values with spaces stand in 'single quotes'");
}

}  // namespace sluice::store
