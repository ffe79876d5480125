-- Who found the configuration good before it was committed (config::RulesId), so that nodes with the same rules need not
-- look at once. It counts while good_at is the row's revision: a replica of an earlier release knows nothing of it.
alter table gateway_config add column good_by text, add column good_at bigint;
