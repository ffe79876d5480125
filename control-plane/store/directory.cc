// Plans, access tokens, nodes and the audit trail.

#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr Statement kPutPlan = {
    "put_plan",
    "insert into plans (name, body) values ($1, $2)"
    " on conflict (name) do update set body = excluded.body, updated_at = now()"};
constexpr Statement kGetPlan = {"get_plan", "select body from plans where name = $1"};
constexpr Statement kListPlans = {"list_plans", "select body from plans order by name"};
constexpr Statement kFindToken = {"find_token", "select id, name, role from access_tokens where hash = $1"};
constexpr Statement kPutToken = {
    "put_token",
    "insert into access_tokens (id, name, role, hash) values ($1, $2, $3, $4)"
    " on conflict (id) do update set name = excluded.name, role = excluded.role, hash = excluded.hash"};
constexpr Statement kCountTokens = {"count_tokens", "select count(*) from access_tokens"};
constexpr Statement kAudit = {
    "audit",
    "insert into audit (actor, action, gateway, request_id, peer, detail, outcome)"
    " values ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Statement kPutNode = {
    "put_node",
    "insert into nodes (name, build, address, last_seen) values ($1, $2, $3, $4)"
    " on conflict (name) do update"
    " set build = excluded.build, address = excluded.address, last_seen = excluded.last_seen"};
constexpr Statement kSeeNode = {
    "see_node", "update nodes set build = $2, address = $3, last_seen = $4 where name = $1 returning 1::bigint"};
constexpr Statement kRemoveNode = {"remove_node", "delete from nodes where name = $1 returning 1::bigint"};
constexpr Statement kDelistNode = {"delist_node",
                                   "update cells set enlisted = array_remove(enlisted, $1) where $1 = any (enlisted)"
                                   " returning 1::bigint"};
constexpr Statement kListNodes = {"list_nodes", "select name, build, address, last_seen from nodes order by name"};

absl::StatusOr<config::v1::Plan> ReadPlan(const Result& rows, int row) {
  config::v1::Plan plan;
  if (!plan.ParseFromString(rows.Text(row, 0))) return absl::DataLossError("a stored plan cannot be read");
  return plan;
}

}  // namespace

absl::Status InsertAudit(Connection& connection, const AuditRecord& record) {
  Parameters parameters;
  parameters.Text(record.actor).Text(record.action).Text(record.gateway).Text(record.request_id);
  parameters.Text(record.peer).Text(record.detail).Text(record.outcome);
  return connection.Run(kAudit, parameters).status();
}

absl::Status PostgresStore::Audit(const AuditRecord& record) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  return InsertAudit(**connection, record);
}

absl::Status PostgresStore::PutPlan(const config::v1::Plan& plan, const AuditRecord& audit) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  Transaction transaction(**connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) {
    status = (*connection)->Run(kPutPlan, Parameters().Text(plan.name()).Bytes(plan.SerializeAsString())).status();
  }
  if (status.ok()) status = InsertAudit(**connection, audit);
  if (status.ok()) status = transaction.Commit();
  return status;
}

absl::StatusOr<config::v1::Plan> PostgresStore::GetPlan(const std::string& name) {
  auto rows = Run(kGetPlan, Parameters().Text(name));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return absl::NotFoundError("there is no such plan");
  return ReadPlan(*rows, 0);
}

absl::StatusOr<std::vector<config::v1::Plan>> PostgresStore::ListPlans() {
  auto rows = Run(kListPlans);
  if (!rows.ok()) return rows.status();
  std::vector<config::v1::Plan> plans;
  for (int row = 0; row < rows->rows(); ++row) {
    auto plan = ReadPlan(*rows, row);
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

absl::StatusOr<std::optional<TokenRecord>> PostgresStore::FindToken(const std::string& hash) {
  auto rows = Run(kFindToken, Parameters().Bytes(hash));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return std::nullopt;
  return TokenRecord{rows->Text(0, 0), rows->Text(0, 1), rows->Text(0, 2)};
}

absl::Status PostgresStore::PutToken(const TokenRecord& token, const std::string& hash) {
  return Run(kPutToken, Parameters().Text(token.id).Text(token.name).Text(token.role).Bytes(hash)).status();
}

absl::StatusOr<int64_t> PostgresStore::CountTokens() {
  auto rows = Run(kCountTokens);
  if (!rows.ok()) return rows.status();
  return rows->Int(0, 0);
}

absl::Status PostgresStore::PutNode(const NodeRecord& node) {
  return Run(node.arrived ? kPutNode : kSeeNode,
             Parameters().Text(node.name).Text(node.build).Text(node.address).Time(node.last_seen))
      .status();
}

absl::StatusOr<std::vector<NodeRecord>> PostgresStore::ListNodes() {
  auto rows = Run(kListNodes);
  if (!rows.ok()) return rows.status();
  std::vector<NodeRecord> nodes;
  for (int row = 0; row < rows->rows(); ++row) {
    nodes.push_back({rows->Text(row, 0), rows->Text(row, 1), rows->Text(row, 2), rows->Time(row, 3)});
  }
  return nodes;
}

absl::Status PostgresStore::RemoveNode(const std::string& name, const AuditRecord& audit) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  Transaction transaction(**connection);
  absl::Status status = transaction.Begin();
  if (!status.ok()) return status;
  auto removed = (*connection)->Run(kRemoveNode, Parameters().Text(name));
  if (!removed.ok()) return removed.status();
  auto delisted = (*connection)->Run(kDelistNode, Parameters().Text(name));
  if (!delisted.ok()) return delisted.status();
  auto revoked = RevokeKeyOf(**connection, name);
  if (!revoked.ok()) return revoked.status();
  if (removed->rows() + delisted->rows() + *revoked == 0) return absl::NotFoundError("there is no such node");
  status = InsertAudit(**connection, audit);
  if (status.ok()) status = transaction.Commit();
  return status;
}

}  // namespace sluice::store
