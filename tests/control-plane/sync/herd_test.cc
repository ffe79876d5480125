#include "control-plane/sync/herd.h"

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

class FakeClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return {}; }
  MonotonicTime now{};
};

int Admitted(Herd& herd, int asked) {
  int admitted = 0;
  for (int i = 0; i < asked; ++i) admitted += herd.AdmitStream();
  return admitted;
}

TEST_CASE("a burst of new streams is admitted, and then so many a second") {
  FakeClock clock;
  Herd herd(clock, {.streams_per_second = 100, .burst = 200});
  CHECK(Admitted(herd, 1000) == 200);
  clock.now += std::chrono::milliseconds(500);
  CHECK(Admitted(herd, 1000) == 50);
  clock.now += std::chrono::hours(1);
  CHECK(Admitted(herd, 1000) == 200);
}

TEST_CASE("as many streams as may are sent everything at once, and one more when one has ended") {
  FakeClock clock;
  Herd herd(clock, {.full_syncs = 2});
  const int streams[3] = {};
  CHECK(herd.BeginFull(&streams[0]));
  CHECK(herd.BeginFull(&streams[1]));
  CHECK_FALSE(herd.BeginFull(&streams[2]));
  herd.EndFull(&streams[2]);  // which never began
  CHECK_FALSE(herd.BeginFull(&streams[2]));
  herd.EndFull(&streams[0]);
  CHECK(herd.BeginFull(&streams[2]));
}

TEST_CASE("a node that takes everything slowly does not keep others from it for ever") {
  FakeClock clock;
  Herd herd(clock, {.full_syncs = 1});
  const int streams[2] = {};
  CHECK(herd.BeginFull(&streams[0]));
  clock.now += Herd::kFullSyncTime;
  CHECK(herd.BeginFull(&streams[1]));
}

}  // namespace
}  // namespace sluice::sync
