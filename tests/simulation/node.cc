#include <algorithm>

#include "tests/simulation/world.h"

namespace sluice::simulation {
namespace {

using std::chrono::milliseconds;

constexpr Duration kTurn = milliseconds(5);  // of a node's timers
constexpr Duration kPatience = milliseconds(10);  // of a request
constexpr Duration kAskAgain = milliseconds(1);
constexpr Duration kWantAgain = milliseconds(50);
constexpr Duration kReconnect = milliseconds(100);

}  // namespace

Node::Node(World& world, std::string name) : world_(world), name_(std::move(name)) {
  rate_ = 1 + kMaxDrift * (static_cast<double>(world.Below(2001)) / 1000 - 1);
  offset_ = std::chrono::hours(world.Below(500));
}

MonotonicTime Node::Now() const {
  const double elapsed = static_cast<double>((world_.now() - MonotonicTime(std::chrono::hours(1000))).count());
  return MonotonicTime(std::chrono::hours(1000)) + offset_ + Duration(static_cast<int64_t>(elapsed * rate_));
}

bool Node::Paused() const { return world_.now() < paused_until_; }
bool Node::isolated() const { return world_.now() < isolated_until_; }

void Node::Start() {
  world_.Trace(name_, "starts");
  if (std::exchange(left_, false)) world_.SetMembers();
  ++process_;
  not_before_ = on_disk_ ? Now() + quota::kWindow : Now();
  windows_.clear();
  holder_ = std::make_unique<quota::Holder>(*this, Now());
  if (on_disk_) holder_->Remember(*on_disk_);
  connection_ = 0;
  for (const auto& [gateway, limit] : limits_) SetLimit(gateway, limit);
  Connect();
  Schedule();
}

void Node::Crash(bool with_farewell) {
  world_.Trace(name_, with_farewell ? "ends" : "crashes");
  holder_.reset();
  if (!with_farewell && world_.Below(4) == 0) on_disk_.reset();  // the disk went with it
  if (connection_ == 0) return;
  if (with_farewell && !isolated()) {
    left_ = true;
    on_disk_ = quota::Bases();
    world_.SetMembers();
  }
  world_.Break(connection_);
  connection_ = 0;
}

void Node::Pause(Duration time) {
  world_.Trace(name_, "paused for " + std::to_string(time.count() / 1e9));
  paused_until_ = std::max(paused_until_, world_.now() + time);
}
void Node::Isolate(Duration time) {
  world_.Trace(name_, "isolated for " + std::to_string(time.count() / 1e9));
  isolated_until_ = std::max(isolated_until_, world_.now() + time);
}

void Node::SetLimit(const std::string& gateway, uint32_t limit) {
  limits_[gateway] = limit;
  if (!running()) return;
  Window& window = windows_[gateway];
  window.limit = limit;
  if (window.slots == nullptr) window.slots = std::make_shared<quota::SlidingWindow>(0);
  holder_->LimitChanged(gateway);
  SetShare(window, holder_->Share(gateway, limit));
}

// What the process before this one admitted is not known: nothing of its own is used in the first second.
void Node::SetShare(Window& window, uint32_t share) {
  const uint32_t held = window.slots->limit();
  if (share == held) return;
  world_.Trace(name_, "share from " + std::to_string(held) + " to " + std::to_string(share));
  quota::Slots more;
  if (share > held && Now() < not_before_) more.Add(share - held, not_before_);
  window.slots = window.slots->Moved(share, more, nullptr);
}

uint32_t Node::Limit(const std::string& gateway) const {
  const auto window = windows_.find(gateway);
  return window == windows_.end() ? 0 : window->second.limit;
}

uint64_t Node::Asked(const std::string& gateway) const {
  const auto window = windows_.find(gateway);
  return window == windows_.end() ? 0 : window->second.asked;
}

quota::Slots Node::Resize(const std::string& gateway, uint32_t share, const quota::Slots& more) {
  quota::Slots released;
  world_.Trace(name_, "resizes " + gateway + " to " + std::to_string(share));
  const auto window = windows_.find(gateway);
  if (window == windows_.end()) return released;
  window->second.slots = window->second.slots->Moved(window->second.slots->limit() + more.count(), more, nullptr);
  if (share < window->second.slots->limit()) {
    window->second.slots = window->second.slots->Moved(share, {}, &released);
  } else {
    SetShare(window->second, share);
  }
  return released;
}

bool Node::Keep(const quota::Bases& bases) {
  on_disk_ = bases;
  return true;
}

void Node::Refresh() {
  for (auto& [gateway, window] : windows_) SetShare(window, holder_->Share(gateway, window.limit));
}

bool Node::Admit(Window& window, const std::string& gateway) {
  const bool surplus = window.slots->limit() > holder_->Safe(gateway, window.limit);
  const bool expired = surplus && Now() >= holder_->surplus_until();
  return !expired && window.slots->Admit(Now()).admitted;
}

void Node::Request(const std::string& gateway, MonotonicTime arrived) {
  const auto found = windows_.find(gateway);
  if (!running() || Paused() || found == windows_.end()) return;
  Window& window = found->second;
  if (arrived == world_.now()) ++window.asked;
  if (Admit(window, gateway)) {
    world_.admitted[gateway].push_back(world_.now());
    return;
  }
  if (Now() >= window.wanted_at + kWantAgain) {
    window.wanted_at = Now();
    holder_->Want(gateway);
    Wake();
  }
  if (!holder_->Pending(gateway) || world_.now() >= arrived + kPatience) return;
  world_.After(kAskAgain, [world = &world_, name = name_, gateway, arrived] {
    if (world->nodes().contains(name)) world->nodes()[name]->Request(gateway, arrived);
  });
}

void Node::Connect() {
  if (!running() || connection_ != 0) return;
  if (!Paused()) connection_ = world_.Open(*this);
  if (connection_ == 0) {
    world_.After(kReconnect + world_.Delay(), [this, name = name_, world = &world_, process = process_] {
      if (world->nodes().contains(name) && process == process_) Connect();
    });
    return;
  }
  holder_->Connected(Now());
  Wake();
}

void Node::Wake() {
  if (!running() || Paused()) return;
  bool keep = holder_->Tick(Now());
  while (keep && connection_ != 0) {
    const auto report = holder_->NextReport(Now());
    if (!report) break;
    world_.ToOwner(connection_, *report);
  }
  if (!keep && connection_ != 0) {
    const uint64_t connection = connection_;
    Broken(connection);
    world_.Break(connection);
  }
}

void Node::Schedule() {
  Wake();
  world_.After(kTurn, [this, name = name_, world = &world_, process = process_] {
    if (world->nodes().contains(name) && running() && process == process_) Schedule();
  });
}

void Node::Deliver(uint64_t connection, const quota::Answer& answer) {
  if (connection != connection_ || !running()) return;
  if (Paused()) {
    world_.At(paused_until_, [this, name = name_, world = &world_, connection, answer] {
      if (world->nodes().contains(name)) Deliver(connection, answer);
    });
    return;
  }
  std::string text = "answer " + std::to_string(answer.sequence) + (answer.extend ? " extend" : "") +
                     (answer.has_prepare ? " prepare " + std::to_string(answer.prepare.members) : "") +
                     (answer.has_commit ? " commit " + std::to_string(answer.commit.members) : "");
  for (const auto& gateway : answer.gateways) {
    text += " " + gateway.id + " keep " + std::to_string(gateway.keep) + (gateway.rest ? " rest" : "");
    for (const auto& group : gateway.granted) {
      text += " +" + std::to_string(group.count) + "@" + std::to_string(group.ready_in.count() / 1000000);
    }
  }
  world_.Trace(name_, text);
  const bool keep = holder_->Receive(answer, Now());
  if (keep) return Wake();
  Broken(connection);
  world_.Break(connection);
}

void Node::Broken(uint64_t connection) {
  if (connection != connection_ || !running()) return;
  connection_ = 0;
  holder_->Disconnected();
  Connect();
}

}  // namespace sluice::simulation
