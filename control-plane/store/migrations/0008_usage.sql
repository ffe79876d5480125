-- What gateways were asked for, summed over all nodes. Minutes are kept for three days, hours for 35.
create table usage_minutes (
  gateway_id text not null,
  at timestamptz not null,
  requests bigint not null,
  refused bigint not null,
  limited bigint not null,
  too_large bigint not null,
  failed bigint not null,
  request_bytes bigint not null,
  response_bytes bigint not null,
  primary key (gateway_id, at)
);
create index usage_minutes_at on usage_minutes (at);
create table usage_hours (like usage_minutes including all);

-- The last report of each node that is among them: an earlier one of the same process is a repetition.
create table usage_reports (
  node text collate "C" primary key,
  process text not null,
  number bigint not null,
  at timestamptz not null
);
