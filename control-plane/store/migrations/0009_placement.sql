-- Cells as operators make them, and gateways that move from one to another.
alter table cells
  add column capacity bigint not null default 0,  -- gateways; 0: no bound
  add column address text not null default '',    -- where clients find its nodes
  add column draining boolean not null default false,
  alter column owner set default '',
  alter column term set default 0,
  alter column owned_until set default '-infinity',
  alter column epoch set default 0,
  alter column members set default '{}',
  alter column guests set default false,
  alter column enlisted set default '{}';
insert into cells (name) values ('default') on conflict do nothing;

-- Where clients are sent; the other cell of the present or the latest move; how far the move is (store/placement.h).
alter table gateways
  add column other_cell text collate "C" not null default '',
  add column move smallint not null default 0,
  add constraint gateways_cell_fkey foreign key (cell) references cells (name);
alter table gateway_config
  add column other_cell text collate "C" not null default '',
  add column move smallint not null default 0;
