#include "control-plane/store/errors.h"

#include <string>

namespace sluice::store {
namespace {

struct ConstraintText {
  std::string_view constraint;
  std::string_view text;
};

constexpr ConstraintText kConstraints[] = {
    {"gateways_pkey", "a gateway with this id exists"},
    {"gateways_name_key", "a gateway with this name exists"},
    {"gateways_plan_fkey", "there is no such plan"},
    {"gateways_cell_fkey", "there is no such cell any more"},
    {"gateway_hosts_pkey", "a host belongs to another gateway"},
    {"entities_pkey", "an entity with this id exists"},
    {"entities_name_key", "two entities of one kind have the same name"},
    {"entity_references_to_fkey", "an entity is referred to that does not exist"},
    {"access_tokens_name_key", "a token with this name exists"},
};

std::string Describe(std::string_view constraint) {
  for (const auto& known : kConstraints) {
    if (known.constraint == constraint) return std::string(known.text);
  }
  return "the database refused it (" + std::string(constraint) + ")";
}

}  // namespace

absl::Status StatusFromSqlState(std::string_view sql_state, std::string_view constraint, std::string_view message) {
  // Rules of one row, of entities: what they would be as rules of a row each.
  if (constraint == "entities_pkey" || constraint == "entities_name_key") sql_state = "23505";
  if (constraint == "entity_references_to_fkey") sql_state = "23503";
  if (sql_state == "23505") return absl::AlreadyExistsError(Describe(constraint));
  if (sql_state == "23503") return absl::FailedPreconditionError(Describe(constraint));
  if (sql_state.starts_with("23")) return absl::InvalidArgumentError(Describe(constraint));
  if (sql_state.starts_with("22")) {
    return absl::InvalidArgumentError("the database cannot store a value (" + std::string(sql_state) + ")");
  }
  if (sql_state == "40001" || sql_state == "40P01" || sql_state == "55P03") {
    return absl::AbortedError("another change came in between; try again");
  }
  if (sql_state == "57014") return absl::DeadlineExceededError("the database took too long");
  const bool away = sql_state.empty() || sql_state.starts_with("08") || sql_state.starts_with("53") ||
                    sql_state.starts_with("57P") || sql_state == "25006";
  const std::string text = "database: " + std::string(message);
  if (away) return absl::UnavailableError(text);
  return absl::InternalError(text + " (" + std::string(sql_state) + ")");
}

}  // namespace sluice::store
