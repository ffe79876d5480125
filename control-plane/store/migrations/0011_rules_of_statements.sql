-- What a new gateway cost the database was for a half asking whether its rows keep to the rules: queries for each row of
-- an import, which writes hundreds at a time. The rules are the same, and so are the names under which they are broken.

lock table gateways;  -- which writers begin with, too

-- Short lists, which nearly all are, are looked at without a query. A tsvector holds each text once.
alter table gateway_entities
  drop constraint entities_pkey,
  drop constraint entities_name_key,
  drop constraint entity_references_to_fkey,
  add constraint entities_pkey check (
    case when octet_length(array_to_string(ids, '')) < 2000 then length(array_to_tsvector(ids)) = cardinality(ids)
         else sluice_differ(ids) end),
  add constraint entities_name_key check (
    -- Names that all differ do so in each kind.
    case when octet_length(array_to_string(names, '')) < 2000
          and length(array_to_tsvector(array_remove(names, ''))) = cardinality(array_remove(names, '')) then true
         else sluice_differ(sluice_unique_names(kinds, names)) end),
  add constraint entity_references_to_fkey check (
    case when octet_length(array_to_string(ids, '')) < 2000 then referred <@ ids
         else sluice_are_among(referred, ids) end);

-- What belongs to a gateway needs no look at it: each writer holds the gateway's row before it writes any of that.
alter table gateway_hosts drop constraint gateway_hosts_gateway_id_fkey;
alter table gateway_entities drop constraint gateway_entities_gateway_id_fkey;
alter table versions drop constraint versions_gateway_id_fkey;
create function sluice_drop_owned() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  delete from gateway_hosts where gateway_id = any (array(select id from gone));
  delete from gateway_entities where gateway_id = any (array(select id from gone));
  delete from versions where gateway_id = any (array(select id from gone));
  return null;
end $$;
create trigger gateways_owned after delete on gateways
  referencing old table as gone for each statement execute function sluice_drop_owned();

-- Plans and cells are asked for once a statement, and held until the gateways that take them are there.
alter table gateways
  drop constraint gateways_plan_fkey,
  drop constraint gateways_cell_fkey;
create function sluice_refuse(state text, rule text) returns void language plpgsql as $$
begin
  raise exception 'the rule % is broken', rule using errcode = state, constraint = rule;
end $$;

-- Of new gateways.
create function sluice_check_gateways() returns trigger language plpgsql as $$
declare
  broken text;
begin
  with p as (select name from plans where name in (select plan from fresh) for key share),
    c as (select name from cells where name in (select cell from fresh) for key share)
  select case when exists (select plan from fresh except select name from p) then 'gateways_plan_fkey'
              when exists (select cell from fresh except select name from c) then 'gateways_cell_fkey' end into broken;
  if broken is not null then perform sluice_refuse('foreign_key_violation', broken); end if;
  return null;
end $$;
create trigger gateways_rules after insert on gateways
  referencing new table as fresh for each statement execute function sluice_check_gateways();

-- Of a gateway that takes another plan or cell.
create function sluice_check_gateway() returns trigger language plpgsql as $$
begin
  perform from plans where name = new.plan for key share;
  if not found then perform sluice_refuse('foreign_key_violation', 'gateways_plan_fkey'); end if;
  perform from cells where name = new.cell for key share;
  if not found then perform sluice_refuse('foreign_key_violation', 'gateways_cell_fkey'); end if;
  return null;
end $$;
create trigger gateways_rules_of_change after update on gateways
  for each row when (old.plan <> new.plan or old.cell <> new.cell) execute function sluice_check_gateway();

create function sluice_keep_plan() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  perform from gateways where plan = old.name limit 1;
  if found then perform sluice_refuse('foreign_key_violation', 'gateways_plan_fkey'); end if;
  return null;
end $$;
create trigger plans_in_use after delete on plans for each row execute function sluice_keep_plan();
create trigger plans_in_use_renamed after update on plans
  for each row when (old.name <> new.name) execute function sluice_keep_plan();

create function sluice_keep_cell() returns trigger language plpgsql as $$
begin
  perform from gateways where cell = old.name limit 1;
  if found then perform sluice_refuse('foreign_key_violation', 'gateways_cell_fkey'); end if;
  return null;
end $$;
create trigger cells_in_use after delete on cells for each row execute function sluice_keep_cell();
create trigger cells_in_use_renamed after update on cells
  for each row when (old.name <> new.name) execute function sluice_keep_cell();
