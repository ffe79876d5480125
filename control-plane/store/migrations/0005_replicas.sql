-- Where nodes find the replica that allocates a cell's shares.
alter table cells add column owner_address text not null default '';

-- The replicas that are up, and what each knows of the nodes that are connected to it. Nothing here outlives a crash of the
-- database: every replica says it again.
create unlogged table replicas (
  id text primary key,
  address text not null,
  head bigint not null,  -- every node that was connected when this was the replica's head has a row below
  seen_at timestamptz not null
);
create unlogged table connected_nodes (
  replica text not null,
  name text collate "C" not null,
  build text not null,
  address text not null,
  applied bigint not null,
  connected_at timestamptz not null,
  last_seen timestamptz not null,
  rejected bytea not null,  -- serialised sluice.sync.v1.Rejections
  primary key (replica, name)
);
