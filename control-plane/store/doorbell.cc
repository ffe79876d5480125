#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr int kPollMs = 1000;

class ListeningDoorbell final : public Doorbell {
 public:
  ListeningDoorbell(const Options& options, std::function<void()> ring)
      : connection_(options), ring_(std::move(ring)), stop_(eventfd(0, EFD_CLOEXEC)) {
    SLUICE_CHECK(stop_ >= 0);
    thread_ = std::thread([this] { Run(); });
  }

  ~ListeningDoorbell() override {
    const uint64_t one = 1;
    SLUICE_CHECK(write(stop_, &one, sizeof one) == sizeof one);
    thread_.join();
    close(stop_);
  }

 private:
  // Listening comes first, then ringing, then waiting: what is committed while the reader reads rings again.
  void Run() {
    bool listening = false;
    do {
      if (!listening) listening = Listen();
      ring_();
    } while (Wait(listening));
  }

  bool Listen() {
    return connection_.Reconnect().ok() && connection_.Execute(absl::StrCat("listen ", kDoorbellChannel).c_str()).ok();
  }

  // Until a notification, a lost connection (`listening` becomes false) or the time is up. False: stop.
  bool Wait(bool& listening) {
    pollfd events[] = {{stop_, POLLIN, 0}, {listening ? connection_.descriptor() : -1, POLLIN, 0}};
    const int ready = poll(events, 2, kPollMs);
    if (ready > 0 && events[0].revents != 0) return false;
    if (ready > 0 && events[1].revents != 0) listening = connection_.ReadNotifications().ok();
    return true;
  }

  Connection connection_;
  const std::function<void()> ring_;
  const int stop_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Doorbell> Doorbell::Start(const Options& options, std::function<void()> ring) {
  return std::make_unique<ListeningDoorbell>(options, std::move(ring));
}

}  // namespace sluice::store
