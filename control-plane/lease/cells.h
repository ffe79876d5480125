#pragma once

// The cells of the platform, each with what this replica does for it. Callable from every thread.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control-plane/lease/cell.h"

namespace sluice::lease {

struct CellsDeps {
  store::CellOwner self;                                       // names this process to the others
  std::function<std::unique_ptr<store::Cells>()> open;         // a connection for one cell
  const Clock& clock;
  // Requests a second of a gateway in a cell, 0 for none; called often.
  std::function<uint32_t(const std::string& gateway, const std::string& cell)> limit_of;
};

class Cells {
 public:
  explicit Cells(CellsDeps deps) : deps_(std::move(deps)) {}
  Cells(const Cells&) = delete;

  // Those of the platform now. One that is gone stays until the end, and does nothing.
  void Have(const std::vector<std::string>& names);
  // Null: it is not known. It lives as long as this object.
  Cell* Find(const std::string& name);
  std::vector<Cell*> All();  // by name
  void LimitsChanged();      // they may have
  void Shutdown();           // every stream ends, and none is taken any more

 private:
  const CellsDeps deps_;
  std::mutex mutex_;  // taken before a cell's
  std::map<std::string, std::unique_ptr<Cell>> cells_;
  bool closed_ = false;
};

}  // namespace sluice::lease
