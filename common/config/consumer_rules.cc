#include "common/config/rules.h"

namespace sluice::config {

void CheckConsumers(Checkup& checkup) {
  for (int i = 0; i < checkup.config.key_auths_size(); ++i) {
    const v1::KeyAuthCredential& credential = checkup.config.key_auths(i);
    const std::string at = checkup.Path("key_auth", i, "key");
    if (credential.key().empty()) {
      if (!checkup.violations.Names(at)) checkup.violations.Add(at, "required field missing");
    } else if (!IsHashedKey(credential.key())) {
      checkup.violations.Add(checkup.Path("key_auth", i, "key"),
                             "expected sha256: and 64 lower-case hexadecimal digits");
    }
  }
  for (int i = 0; i < checkup.config.consumers_size(); ++i) {
    const v1::Consumer& consumer = checkup.config.consumers(i);
    if (consumer.username().empty() && consumer.custom_id().empty()) {
      checkup.violations.Add(checkup.at.Of("consumer", i),
                             "at least one of these fields must be non-empty: 'custom_id', 'username'");
    }
  }
}

}  // namespace sluice::config
