-- The keys that sealed what is kept here: a control plane that does not hold every one of them does not start. When a key
-- was replaced and every version that it sealed is gone, its row may be deleted by hand.
create table secret_keys (
  key_id text primary key,
  created_at timestamptz not null default now()
);
