#pragma once

// From flags to a provisioner that runs. Used by main() alone.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control-plane/fleet/trust.h"
#include "control-plane/lease/cells.h"
#include "control-plane/provision/provisioner.h"
#include "control-plane/provision_flags.h"
#include "control-plane/store/store.h"
#include "control-plane/sync/registry.h"

namespace sluice {

// Everything referred to outlives what is made of it.
struct ProvisioningDeps {
  store::Store& store;
  const fleet::Trust& trust;
  const sync::Registry& registry;
  lease::Cells& cells;
  const Clock& clock;
  std::string state;        // folder
  std::string own_address;  // where nodes find this replica; "": not known
};

// Stops deciding when it goes; nodes run on.
class Provisioning {
 public:
  // Null where nodes are others' business.
  static absl::StatusOr<std::unique_ptr<Provisioning>> Start(const ProvisionFlags& flags, const ProvisioningDeps& deps);

  // Null of null.
  static const provision::ProvisionTotals* TotalsOf(const std::unique_ptr<Provisioning>& provisioning) {
    return provisioning == nullptr ? nullptr : &provisioning->provisioner_.totals();
  }

 private:
  Provisioning(const ProvisionFlags& flags, const ProvisioningDeps& deps, std::unique_ptr<provision::Driver> driver);

  const std::unique_ptr<provision::Driver> driver_;
  provision::Provisioner provisioner_;
  provision::ProvisionLoop loop_;
};

}  // namespace sluice
