-- Tombstones are purged after some time. Who has seen nothing since before the horizon may have missed one of them.
alter table config_clock add column horizon bigint not null default 0;
alter table gateway_config add column removed_at timestamptz;
update gateway_config set removed_at = now() where removed;
create index gateway_config_removed on gateway_config (revision) where removed;
