-- Identity of the revision line. After restoring a dump over a live database, give it a new value by hand.
create table database_identity (
  only_row boolean primary key default true check (only_row),
  epoch text not null
);
insert into database_identity (epoch) values (gen_random_uuid()::text);

-- Ticks once a commit, as its last statement: whoever holds its row lock is the next to become visible.
create table config_clock (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);
insert into config_clock (revision) values (0);

create table plans (
  name text collate "C" primary key,
  body bytea not null,
  updated_at timestamptz not null default now()
);

create table gateways (
  id text primary key,
  name text collate "C" not null constraint gateways_name_key unique,
  kind smallint not null check (kind in (1, 2)),
  plan text collate "C" not null constraint gateways_plan_fkey references plans (name),
  version bigint not null check (version > 0),
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index gateways_plan on gateways (plan);

create table gateway_hosts (
  host text constraint gateway_hosts_pkey primary key,
  gateway_id text not null references gateways (id) on delete cascade,
  position integer not null
);
create index gateway_hosts_gateway on gateway_hosts (gateway_id);

create table entities (
  gateway_id text not null references gateways (id) on delete cascade,
  id text not null,
  kind text not null,
  name text not null,
  -- The names that may occur once in a gateway; several plugins may share theirs.
  unique_name text generated always as
    (case when name <> '' and kind in ('service', 'route', 'consumer', 'upstream') then name end) stored,
  tags text[] not null,
  body json not null,
  constraint entities_pkey primary key (gateway_id, id),
  -- Deferred, so that one change may swap two names.
  constraint entities_name_key unique (gateway_id, kind, unique_name) deferrable initially deferred
);

create table entity_references (
  gateway_id text not null,
  from_id text not null,
  to_id text not null,
  primary key (gateway_id, from_id, to_id),
  foreign key (gateway_id, from_id) references entities (gateway_id, id) on delete cascade,
  constraint entity_references_to_fkey foreign key (gateway_id, to_id) references entities (gateway_id, id)
    deferrable initially deferred
);
create index entity_references_to on entity_references (gateway_id, to_id);

create table versions (
  gateway_id text not null references gateways (id) on delete cascade,
  version bigint not null,
  revision bigint not null default 0,
  author text not null,
  message text not null,
  created_at timestamptz not null default now(),
  config bytea not null,
  primary key (gateway_id, version)
);

-- What nodes are sent: the latest of every gateway. A tombstone outlives its gateway.
create table gateway_config (
  gateway_id text primary key,
  revision bigint not null constraint gateway_config_revision_key unique,
  removed boolean not null,
  kind smallint not null,
  config bytea,
  check (removed = (config is null))
);

create table access_tokens (
  id text primary key,
  name text not null constraint access_tokens_name_key unique,
  role text not null check (role in ('admin', 'operator', 'viewer')),
  hash bytea not null constraint access_tokens_hash_key unique check (length(hash) = 32),
  created_at timestamptz not null default now()
);

create table nodes (
  name text collate "C" primary key,
  build text not null,
  address text not null,
  last_seen timestamptz not null
);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  gateway text not null,
  request_id text not null,
  peer text not null,
  detail text not null,
  outcome text not null
);
create index audit_at on audit (at);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit records are never changed' using errcode = 'restrict_violation';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function refuse_audit_change();
