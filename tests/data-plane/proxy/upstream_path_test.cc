#include "data-plane/proxy/upstream_path.h"

#include "catch2/catch.hpp"

using sluice::proxy::UpstreamPath;

TEST_CASE("a service's path and a request's are joined by Kong's table") {
  struct Row {
    std::string service, route, request, v0_strip, v0_keep, v1_strip, v1_keep;
  };
  const std::vector<Row> table = {
      {"/", "/", "/req", "/req", "/req", "/req", "/req"},
      {"/", "/fv", "/fv", "/", "/fv", "/", "/fv"},
      {"/", "/fv", "/fvreq", "/req", "/fvreq", "/req", "/fvreq"},
      {"/srv", "/", "/req", "/srv/req", "/srv/req", "/srvreq", "/srvreq"},
      {"/srv", "/fv", "/fv", "/srv", "/srv/fv", "/srv", "/srvfv"},
      {"/srv", "/fv", "/fv/", "/srv/", "/srv/fv/", "/srv/", "/srvfv/"},
      {"/srv", "/fv", "/fvreq", "/srv/req", "/srv/fvreq", "/srvreq", "/srvfvreq"},
      {"/srv", "/fv", "/fv/req", "/srv/req", "/srv/fv/req", "/srv/req", "/srvfv/req"},
      {"/srv", "/fv/", "/fv/", "/srv/", "/srv/fv/", "/srv", "/srvfv/"},
      {"/srv", "/fv/", "/fv/req", "/srv/req", "/srv/fv/req", "/srvreq", "/srvfv/req"},
      {"/srv/", "/", "/", "/srv/", "/srv/", "/srv/", "/srv/"},
      {"/srv/", "/fv", "/fv", "/srv", "/srv/fv", "/srv/", "/srv/fv"},
      {"/srv/", "/fv", "/fv/", "/srv/", "/srv/fv/", "/srv/", "/srv/fv/"},
      {"/srv/", "/fv", "/fvreq", "/srv/req", "/srv/fvreq", "/srv/req", "/srv/fvreq"},
  };
  for (const Row& row : table) {
    INFO(row.service << " " << row.route << " " << row.request);
    const size_t matched = row.route.size();
    CHECK(UpstreamPath({row.service, matched, true, false}, row.request) == row.v0_strip);
    CHECK(UpstreamPath({row.service, matched, false, false}, row.request) == row.v0_keep);
    CHECK(UpstreamPath({row.service, matched, true, true}, row.request) == row.v1_strip);
    CHECK(UpstreamPath({row.service, matched, false, true}, row.request) == row.v1_keep);
  }
}

TEST_CASE("stripping may not make a dot segment of what was none") {
  for (const char* path : {"/fv..", "/fv../x", "/fv.", "/fv./x", "/fv..;x", "/fv.;x/y", "/fv..%3Bx"}) {
    INFO(path);
    CHECK(sluice::proxy::StripsToDots({"/srv", 3, true, false}, path));
    CHECK(sluice::proxy::StripsToDots({"/srv/", 3, true, true}, path));
    CHECK_FALSE(sluice::proxy::StripsToDots({"/srv", 3, false, false}, path));
  }
  for (const char* path : {"/fv", "/fv/", "/fv...", "/fv/..x", "/fv.x", "/fv..x/y", "/fv%2E"}) {
    CHECK_FALSE(sluice::proxy::StripsToDots({"/srv", 3, true, false}, path));
  }
}

TEST_CASE("a service without a path has the root") {
  CHECK(UpstreamPath({"", 1, true, false}, "/") == "/");
  CHECK(UpstreamPath({"", 3, true, false}, "/fv") == "/");
  CHECK(UpstreamPath({"", 3, true, false}, "/fv/x") == "/x");
}
