#include "common/config/rules.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {

void CheckUpstreams(Checkup& checkup) {
  for (int i = 0; i < checkup.config.upstreams_size(); ++i) {
    const std::string& name = checkup.config.upstreams(i).name();
    if (schema::IsIpv4(name) || name.find(':') != std::string::npos || name.starts_with('[')) {
      checkup.violations.Add(
          checkup.Path("upstream", i, "name"),
          schema::Cat("Invalid name ('", schema::EscapeBytes(name.substr(0, 128)), "'); no ip addresses allowed"));
    }
  }
}

}  // namespace sluice::config
