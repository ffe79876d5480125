-- The entities of a gateway in one row, checked as it is written: what they are called is unique, and what they refer to
-- is there. Rows of each entity and each reference said the same, for half of what a new gateway cost the database.
create function sluice_differ(items text[]) returns boolean language plpgsql immutable as $$
begin
  return (select count(*) = count(distinct item) from unnest(items) as item);
end $$;
create function sluice_are_among(wanted text[], items text[]) returns boolean language plpgsql immutable as $$
begin
  return not exists (select unnest(wanted) except select unnest(items));
end $$;
-- The names that may occur once in a gateway; several plugins may share theirs.
create function sluice_unique_names(kinds text[], names text[]) returns text[] language plpgsql immutable as $$
begin
  return array(select e.kind || '/' || e.name from unnest(kinds, names) as e (kind, name)
               where e.name <> '' and e.kind in ('service', 'route', 'consumer', 'upstream'));
end $$;

create table gateway_entities (
  gateway_id text primary key references gateways (id) on delete cascade,
  -- Of each entity, in step.
  ids text[] not null,
  kinds text[] not null,
  names text[] not null,
  -- The ids that any of them refers to.
  referred text[] not null,
  constraint entities_in_step check (cardinality(kinds) = cardinality(ids) and cardinality(names) = cardinality(ids)),
  constraint entities_pkey check (sluice_differ(ids)),
  constraint entities_name_key check (sluice_differ(sluice_unique_names(kinds, names))),
  constraint entity_references_to_fkey check (sluice_are_among(referred, ids))
);

-- A replica of an earlier release may write on beside this one, and must not be refused for what it cannot see. Both
-- tables go when there is none any more. So does gateways.revision: gateway_config has it, and an import does not set it.
alter table entity_references drop constraint entity_references_to_fkey;
alter table entity_references drop constraint entity_references_gateway_id_from_id_fkey;
alter table entities drop constraint entities_name_key;

-- What is sealed cannot be compressed.
alter table versions alter column config set storage external;
alter table gateway_config alter column config set storage external;
