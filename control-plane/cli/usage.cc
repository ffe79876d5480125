// sluice usage: what a gateway was asked for.

#include <chrono>

#include "CLI/CLI.hpp"
#include "control-plane/cli/commands.h"
#include "google/protobuf/util/time_util.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

using admin::v1::GetUsageRequest;
using google::protobuf::util::TimeUtil;

struct UsageFlags {
  std::string gateway;
  int64_t since_s = 24 * 3600;
  std::string by = "hour";
};

// "90m", "24h", "7d" in seconds; -1 for anything else.
int64_t Seconds(const std::string& text) {
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || digits > 6 || digits + 1 != text.size()) return -1;
  const int64_t count = std::stoll(text.substr(0, digits));
  switch (text[digits]) {
    case 'm': return count * 60;
    case 'h': return count * 3600;
    case 'd': return count * 86'400;
    default: return -1;
  }
}

std::vector<std::string> Cells(const std::string& time, const admin::v1::GetUsageResponse::Row& row) {
  return {time,
          std::to_string(row.requests()),
          std::to_string(row.refused()),
          std::to_string(row.limited()),
          std::to_string(row.too_large()),
          std::to_string(row.failed()),
          std::to_string(row.request_bytes()),
          std::to_string(row.response_bytes())};
}

int Show(Cli& cli, const UsageFlags& flags) {
  GetUsageRequest request;
  request.set_gateway(flags.gateway);
  request.set_step(flags.by == "minute" ? GetUsageRequest::MINUTE
                   : flags.by == "day"  ? GetUsageRequest::DAY
                                        : GetUsageRequest::HOUR);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t start = std::chrono::duration_cast<std::chrono::seconds>(now).count() - flags.since_s;
  request.mutable_start_time()->set_seconds(start);
  admin::v1::GetUsageResponse response;
  const absl::Status status = cli.Call("Usage/GetUsage", request, response);
  if (!status.ok()) return cli.output.Fail(status);
  if (cli.output.Structured(response)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : response.rows()) rows.push_back(Cells(TimeUtil::ToString(row.time()), row));
  rows.push_back(Cells("total", response.total()));
  cli.output.Table({"TIME", "REQUESTS", "REFUSED", "LIMITED", "TOO LARGE", "FAILED", "BYTES IN", "BYTES OUT"}, rows);
  return kOk;
}

}  // namespace

void AddUsageCommand(CLI::App& app, Cli& cli) {
  CLI::App* command = app.add_subcommand("usage", "What a gateway was asked for; nodes report once a minute");
  const auto flags = std::make_shared<UsageFlags>();
  command->add_option("-g,--gateway", flags->gateway, "name or id")->required();
  command->add_option_function<std::string>(
      "--since",
      [flags](const std::string& text) {
        flags->since_s = Seconds(text);
        if (flags->since_s < 0) throw CLI::ValidationError("--since", "\"" + text + "\" is not like 90m, 24h or 7d");
      },
      "how far back: 90m, 24h, 7d (default 24h; minutes are kept for 3 days, hours for 35)");
  command->add_option("--by", flags->by, "minute, hour or day")
      ->check(CLI::IsMember({"minute", "hour", "day"}))
      ->capture_default_str();
  command->callback([&cli, flags] { cli.command = [&cli, flags] { return Show(cli, *flags); }; });
}

}  // namespace sluice::cli
