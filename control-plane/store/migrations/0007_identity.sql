-- Ticks with every change of the tables below that replicas keep in memory: authorities and revoked keys.
create table fleet_clock (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);
insert into fleet_clock (revision) values (1);

-- Who signs: the highest number signs nodes' certificates, the lowest the control plane's own.
create table authorities (
  id text primary key,
  number bigint generated always as identity,
  certificate text not null,
  key bytea not null,
  created_at timestamptz not null default now()
);

create table join_tokens (
  id text primary key,
  hash bytea not null constraint join_tokens_hash_key unique check (length(hash) = 32),
  scope text not null,
  author text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Of the node that joined with it.
  key bytea check (length(key) = 32),
  node text collate "C"
);

-- The latest certificate of every node that joined. A node is its key, by SHA-256.
create table node_identities (
  name text collate "C" primary key,
  scope text not null,
  key bytea not null check (length(key) = 32),
  authority text not null,
  expires_at timestamptz not null
);

-- Kept for as long as a certificate of the key may be good.
create table revoked_keys (
  key bytea primary key check (length(key) = 32),
  node text not null,
  expires_at timestamptz not null
);

-- Where a serverless gateway is served.
alter table gateways add column cell text collate "C" not null default 'default';
alter table gateway_config add column cell text collate "C" not null default 'default';

-- What the node reads.
alter table connected_nodes add column scope text not null default 'cell/default';
