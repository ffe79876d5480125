#define CATCH_CONFIG_RUNNER
#include <csignal>

#include "catch2/catch.hpp"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return Catch::Session().run(argc, argv);
}
