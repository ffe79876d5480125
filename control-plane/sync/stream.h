#pragma once

// One node's stream as gRPC runs it: at most one read and one write in flight, everything between under one lock. gRPC
// deletes it through OnDone.

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "control-plane/sync/feed.h"
#include "control-plane/sync/service.h"

namespace sluice::sync {

class Stream;

grpc::Status ToGrpc(const absl::Status& status);

// What a stream needs of its service, and tells it.
class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  virtual const ServiceDeps& deps() const = 0;
  virtual Totals& totals() = 0;
  virtual Herd& herd() = 0;
  // The node's name is this stream's from now on; an older stream of the same node ends.
  virtual void Claim(const std::string& node, Stream* stream) = 0;
  virtual bool Owns(const std::string& node, const Stream* stream) = 0;
  virtual void Gone(const std::string& node, Stream* stream) = 0;  // the last call of a stream
};

class Stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // `address`: where the peer connects from.
  Stream(StreamOwner& owner, fleet::Peer peer, std::string address);

  const fleet::Peer& peer() const { return peer_; }
  void Close(const grpc::Status& status);  // once; later calls are nothing
  void Pump();                             // sends what there is, unless something is being sent
  const NodeStatus& status() const { return status_; }
  // Tells the node that its report is kept.
  void Kept(const std::string& process, int64_t number);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Close(grpc::Status::CANCELLED); }
  void OnDone() override;

 private:
  absl::Status Handle(const v1::NodeMessage& message);
  absl::Status HandleResume(const v1::Resume& resume);
  absl::Status HandleUsage(const v1::Usage& usage);
  void Record(bool arrived);

  StreamOwner& owner_;
  const fleet::Peer peer_;
  const std::string address_;
  NodeStatus status_;
  int64_t watch_ = 0;

  std::mutex mutex_;  // of everything below
  Feed feed_;
  bool writing_ = false;
  bool closed_ = false;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
};

}  // namespace sluice::sync
