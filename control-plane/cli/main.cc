#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "control-plane/cli/run.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const auto variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const bool colour = variable("NO_COLOR").value_or("").empty();
  sluice::cli::Environment environment{
      std::cin, std::cout, std::cerr, isatty(STDIN_FILENO) == 1, colour && isatty(STDERR_FILENO) == 1, variable,
      sluice::cli::MakeGrpcClient, colour && isatty(STDOUT_FILENO) == 1};
  return sluice::cli::Run({argv + 1, argv + argc}, environment);
}
