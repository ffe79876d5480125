-- Writes that are made once, however often they are asked for: what was asked (a sealed fingerprint) and what it did.
create table kept_requests (
  caller text not null,
  request_id text not null,
  fingerprint bytea not null,
  -- No reference: the request that deleted a gateway outlives it.
  gateway_id text not null,
  entity_id text not null,
  version bigint not null,
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint kept_requests_pkey primary key (caller, request_id)
);
create index kept_requests_created on kept_requests (created_at);
create index kept_requests_gateway on kept_requests (gateway_id, created_at);

-- How many entities a version created, updated and deleted. Null: it was made before they were counted.
alter table versions add column created integer, add column updated integer, add column deleted integer;
