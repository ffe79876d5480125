#pragma once

// Routes as text, and what a router or a plain reference makes of a request.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catch2/catch.hpp"
#include "data-plane/http/fields.h"
#include "data-plane/route/router.h"

namespace sluice {

struct Ask {
  std::string method = "GET";
  std::string host = "a.test";
  std::string path = "/";
  int port = 80;
  bool https = false;
  bool grpc = false;
  std::string sni;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Routes of a gateway, each in protobuf's text format: R"(id: "r" paths: "/")". Protocols are http and https where none
// are written.
class Routes {
 public:
  Routes(std::initializer_list<std::string_view> texts);
  explicit Routes(std::vector<config::v1::Route> configs);

  Match Find(const Ask& ask) const;
  // The id of the route that matches; "" where none does.
  std::string Of(const Ask& ask) const;

 private:
  void Build();
  std::vector<config::v1::Route> configs_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Router> router_;
};

// The same by the rules alone: every route is looked at, every path by itself; no regexes in headers.
std::string ReferenceRoute(const std::vector<config::v1::Route>& routes, const Ask& ask);

}  // namespace sluice
