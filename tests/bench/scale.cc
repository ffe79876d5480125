// One job of the fleet benchmark, as a client of a real control plane: fills it, changes it, or stands for many nodes.
// Prints its figures as one line of JSON.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/rpc/server.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/util/json_util.h"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "tests/support/load.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBatch = 256;
constexpr int kStreams = 3;  // imports under way at once

struct Target {
  std::string server, token, upstream;
};

std::string ReadWhole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::string content = text.str();
  while (!content.empty() && content.back() == '\n') content.pop_back();
  return content;
}

int Fail(const std::string& what) {
  std::fprintf(stderr, "bench-scale: %s\n", what.c_str());
  return 1;
}

double Since(Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); }

std::shared_ptr<grpc::Channel> Channel(const Target& target) {
  return rpc::MakeChannel(target.server, *rpc::ClientCredentials({}));
}

void Authorise(grpc::ClientContext& context, const Target& target) {
  context.AddMetadata("authorization", "Bearer " + target.token);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
}

google::protobuf::Struct Template(const Target& target) {
  const std::string json = Cat(
      R"({"_format_version":"3.0","services":[{"name":"main","url":"http://)", target.upstream, R"(","routes":[)",
      R"({"name":"all","paths":["/"]},{"name":"orders","paths":["/orders"],"methods":["GET","POST"]},)",
      R"({"name":"items","paths":["/items"]}],"plugins":[)",
      R"({"name":"cors","config":{"origins":["https://example.com"]}},)",
      R"({"name":"correlation-id","config":{"header_name":"X-Request-ID","generator":"uuid"}}]}]})");
  google::protobuf::Struct document;
  if (!google::protobuf::util::JsonStringToMessage(json, &document).ok()) std::abort();
  return document;
}

// Three routes and two plugins; `turn` makes one differ from the next. Parsed once: the client shares the machine.
void WriteDocument(const Target& target, int64_t turn, google::protobuf::Struct& document) {
  static const google::protobuf::Struct& shared = *new google::protobuf::Struct(Template(target));
  document = shared;
  auto* service = (*document.mutable_fields())["services"].mutable_list_value()->mutable_values(0);
  auto* route = (*service->mutable_struct_value()->mutable_fields())["routes"].mutable_list_value()->mutable_values(2);
  auto* paths = (*route->mutable_struct_value()->mutable_fields())["paths"].mutable_list_value();
  paths->mutable_values(0)->set_string_value(Cat("/items/", turn));
}

google::protobuf::Struct Document(const Target& target, int64_t turn) {
  google::protobuf::Struct document;
  WriteDocument(target, turn, document);
  return document;
}

void PrintTimes(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double part) {
    const auto place = static_cast<size_t>(part * static_cast<double>(seconds.size()));
    return 1000 * seconds[std::min(seconds.size() - 1, place)];
  };
  std::printf("{\"times\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", seconds.size(), at(0.5), at(0.99),
              1000 * seconds.back());
}

// Gateways g<first> to g<first + count - 1>.
int Import(const Target& target, int first, int count) {
  std::atomic<int> next{first}, failed{0};
  std::string error;
  std::mutex mutex;
  const auto began = Clock::now();
  std::vector<std::thread> streams;
  for (int s = 0; s < kStreams; ++s) {
    streams.emplace_back([&] {
      const auto stub = admin::v1::Gateways::NewStub(Channel(target));
      for (int from; (from = next.fetch_add(kBatch)) < first + count && failed == 0;) {
        google::protobuf::Arena arena;  // the client shares the machine
        auto& request = *google::protobuf::Arena::CreateMessage<admin::v1::ImportGatewaysRequest>(&arena);
        for (int i = from; i < std::min(from + kBatch, first + count); ++i) {
          request.add_gateways()->set_name(Cat("g", i));
          WriteDocument(target, i, *request.mutable_gateways(i - from)->mutable_document());
        }
        grpc::ClientContext context;
        Authorise(context, target);
        admin::v1::ImportGatewaysResponse response;
        const grpc::Status status = stub->ImportGateways(&context, request, &response);
        for (const auto& result : response.results()) {
          if (!result.has_error()) continue;
          ++failed;
          std::lock_guard lock(mutex);
          error = result.error().message();
        }
        if (status.ok()) continue;
        ++failed;
        std::lock_guard lock(mutex);
        error = status.error_message();
      }
    });
  }
  for (std::thread& stream : streams) stream.join();
  if (failed > 0) return Fail(error);
  const double seconds = Since(began);
  std::printf("{\"gateways\":%d,\"seconds\":%.2f,\"per_second\":%.0f}\n", count, seconds, count / seconds);
  return 0;
}

// Changes of gateways among the first `count`, one after another, each until every node serves it.
int Change(const Target& target, int count, int times) {
  const auto stub = admin::v1::Configs::NewStub(Channel(target));
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    admin::v1::ApplyConfigRequest request;
    request.set_gateway(Cat("g", Random64() % static_cast<uint64_t>(count)));
    *request.mutable_document() = Document(target, 1'000'000 + i);
    request.mutable_wait()->set_timeout_ms(60'000);
    grpc::ClientContext context;
    Authorise(context, target);
    admin::v1::ApplyConfigResponse response;
    const auto began = Clock::now();
    const grpc::Status status = stub->ApplyConfig(&context, request, &response);
    if (!status.ok()) return Fail(status.error_message());
    seconds.push_back(Since(began));
  }
  PrintTimes(std::move(seconds));
  return 0;
}

// Asks a node (address:port) for a path of a host until it answers 200, on one connection.
bool AwaitAnswer(const std::string& node, const std::string& host, const std::string& path) {
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  test::KeepAlive client(static_cast<uint16_t>(std::stoi(node.substr(node.rfind(':') + 1))));
  while (client.Get(host, path) != 200) {
    if (Clock::now() > deadline) return false;
  }
  return true;
}

// From creating a gateway to the first 200 through its host at `node`.
int Create(const Target& target, const std::string& node, const std::string& prefix, int times) {
  const auto channel = Channel(target);
  const auto stub = admin::v1::Gateways::NewStub(channel);
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const std::string name = Cat(prefix, i);
    admin::v1::ImportGatewaysRequest request;
    request.add_gateways()->set_name(name);
    *request.mutable_gateways(0)->mutable_document() = Document(target, i);
    grpc::ClientContext context;
    Authorise(context, target);
    admin::v1::ImportGatewaysResponse response;
    const auto began = Clock::now();
    const grpc::Status status = stub->ImportGateways(&context, request, &response);
    if (!status.ok()) return Fail(status.error_message());
    if (response.results(0).has_error()) return Fail(response.results(0).error().message());
    if (!AwaitAnswer(node, name + ".gw.localhost", "/bytes/1")) return Fail(Cat(name, " never answered 200"));
    seconds.push_back(Since(began));
  }
  PrintTimes(std::move(seconds));
  return 0;
}

// The first requests that gateways get, which may be at rest, and the second ones, of gateways among the first `count`.
int Wake(const std::string& node, int count, int times) {
  test::KeepAlive client(static_cast<uint16_t>(std::stoi(node.substr(node.rfind(':') + 1))));
  std::vector<double> first, second;
  const int step = std::max(1, count / times);
  for (int i = 0; i < std::min(count, times); ++i) {
    const std::string host = Cat("g", i * step, ".gw.localhost");
    for (std::vector<double>* seconds : {&first, &second}) {
      const auto began = Clock::now();
      const int status = client.Get(host, "/bytes/1");
      if (status != 200) return Fail(Cat(host, " answered ", status));
      seconds->push_back(Since(began));
    }
  }
  std::printf("{\"first\":");
  PrintTimes(std::move(first));
  std::printf(",\"second\":");
  PrintTimes(std::move(second));
  std::printf("}\n");
  return 0;
}

int Main(const std::vector<std::string>& words) {
  const Target target{words[0], ReadWhole(words[1]), words[2]};
  const std::string& job = words[3];
  if (job == "import" && words.size() == 6) return Import(target, std::stoi(words[4]), std::stoi(words[5]));
  if (job == "change" && words.size() == 6) return Change(target, std::stoi(words[4]), std::stoi(words[5]));
  if (job == "create" && words.size() == 7) return Create(target, words[4], words[5], std::stoi(words[6]));
  if (job == "wake" && words.size() == 7) return Wake(words[4], std::stoi(words[5]), std::stoi(words[6]));
  return Fail("no such job");
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: bench-scale SERVER TOKEN-FILE UPSTREAM import FIRST COUNT\n"
                 "                                              change GATEWAYS TIMES\n"
                 "                                              create NODE PREFIX TIMES\n"
                 "                                              wake NODE GATEWAYS TIMES\n");
    return 64;
  }
  return sluice::bench::Main({argv + 1, argv + argc});
}
