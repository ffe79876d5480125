-- Which replica allocates the shares of a cell, and who shares. A replica's term numbers what it decides; it owns the cell
-- until `owned_until`, and another one may take it then.
create table cells (
  name text collate "C" primary key,
  owner text not null,
  term bigint not null,
  owned_until timestamptz not null,
  -- Committed: nodes are told of it, and may hold shares accordingly.
  epoch bigint not null,
  members text[] not null,
  guests boolean not null,
  -- Who is to share from the next epoch on.
  enlisted text[] not null
);
