#include "data-plane/ops/server.h"

#include <unistd.h>

#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "data-plane/ops/metrics.h"
#include "data-plane/proxy/reader.h"

namespace sluice::ops {
namespace {

struct Scrape {
  explicit Scrape(io::Loop& loop) : arrived(loop) {}
  proxy::Stats stats;
  io::Event arrived;
};

class Counted {
 public:
  explicit Counted(std::shared_ptr<size_t> count) : count_(std::move(count)) { ++*count_; }
  Counted(const Counted&) = delete;
  ~Counted() { --*count_; }

 private:
  const std::shared_ptr<size_t> count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const io::Endpoint& at, Sources sources) {
  std::unique_ptr<Server> server(new Server(std::move(sources)));
  Server* self = server.get();
  auto listener = io::Listener::Open(*server->loop_, at, [self](io::Accepted accepted) {
    if (*self->connections_ >= kMaxConnections) {
      close(accepted.fd);
      return;
    }
    self->loop_->Spawn(self->Serve(accepted.fd));
  });
  if (!listener.ok()) return listener.status();
  server->listener_ = std::move(*listener);
  server->thread_ = std::thread([self] { self->loop_->Run(); });
  return server;
}

Server::Server(Sources sources) : sources_(std::move(sources)), scratch_(kMaxHeadBytes, '\0'), loop_(new io::Loop) {}

Server::~Server() {
  if (thread_.joinable()) {
    loop_->Stop();
    thread_.join();
  }
}

io::Task<void> Server::Serve(int fd) {
  Counted counted(connections_);
  std::unique_ptr<io::Stream> stream = io::MakeTcpStream(*loop_, fd);
  proxy::Reader reader(*stream, scratch_);
  size_t scanned = 0;
  for (;;) {
    const size_t end = http::FindHeadEnd(reader.pending(), scanned);
    if (end == 0) {
      if (reader.pending().size() > kMaxHeadBytes) co_return;
      const io::IoError error = co_await reader.Fill(loop_->Now() + kIdleTime);
      if (error != io::IoError::kNone) co_return;
      continue;
    }
    http::RequestHead head;
    const http::ParseError wrong = http::ParseRequestHead(reader.pending().substr(0, end), head);
    reader.Consume(end);
    reader.Hold();
    scanned = 0;
    Answer answer{.status = wrong.status, .body = "bad request\n"};
    if (!wrong) answer = co_await Handle(std::string(head.method), std::string(head.path));
    const bool keep = !wrong && head.keep_alive && head.framing.kind == http::Framing::Kind::kNone;
    http::Fields fields;
    fields.AppendView("Content-Type", answer.content_type);
    fields.AppendView("Cache-Control", "no-store");
    std::string bytes;
    const http::Framing framing{.kind = http::Framing::Kind::kLength, .length = answer.body.size()};
    http::AppendResponseHead(bytes, answer.status, {}, fields, framing, keep ? "" : "close");
    if (wrong || head.method != "HEAD") bytes.append(answer.body);
    const io::IoResult sent = co_await io::WriteAll(*stream, bytes, kIdleTime);
    if (!sent.ok() || !keep) co_return;
  }
}

io::Task<Server::Answer> Server::Handle(std::string method, std::string path) {
  if (method != "GET" && method != "HEAD") co_return Answer{.status = 405, .body = "GET only\n"};
  if (path == "/healthz") co_return Answer{.status = 200, .body = "ok\n"};
  if (path == "/readyz") {
    if (IsReady()) co_return Answer{.status = 200, .body = "ready\n"};
    co_return Answer{.status = 503, .body = "not ready\n"};
  }
  if (path != "/metrics") co_return Answer{.status = 404, .body = "/healthz /readyz /metrics\n"};
  Answer answer = co_await Metrics();
  co_return answer;
}

io::Task<Server::Answer> Server::Metrics() {
  auto scrape = std::make_shared<Scrape>(*loop_);
  sources_.workers.Collect([loop = loop_, scrape](proxy::Stats stats) {
    loop->Post([scrape, stats = std::move(stats)]() mutable {
      scrape->stats = std::move(stats);
      scrape->arrived.Set();
    });
  });
  const bool arrived = co_await scrape->arrived.Wait(loop_->Now() + kScrapeTime);
  if (!arrived) co_return Answer{.status = 503, .body = "a worker does not answer\n"};
  gateways_.Update(scrape->stats.gateways, scrape->stats.untracked);
  const NodeFacts facts{.node = sources_.node,
                        .version = sources_.version,
                        .now = UnixSeconds(sources_.clock.WallNow()),
                        .ready = IsReady(),
                        .access_log_dropped = sources_.workers.access_log_dropped()};
  co_return Answer{.status = 200,
                   .body = RenderMetrics(scrape->stats, sources_.sync, facts, gateways_),
                   .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace sluice::ops
