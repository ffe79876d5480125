#include "common/rpc/request_counter.h"

#include "catch2/catch.hpp"

namespace sluice::rpc {
namespace {

TEST_CASE("calls are counted by method and code") {
  RequestCounter counter;
  counter.Count("/a.B/C", 0);
  counter.Count("/a.B/C", 0);
  counter.Count("/a.B/C", 5);
  CHECK(counter.counts() == RequestCounter::Counts{{{"/a.B/C", "OK"}, 2}, {{"/a.B/C", "NOT_FOUND"}, 1}});
}

}  // namespace
}  // namespace sluice::rpc
