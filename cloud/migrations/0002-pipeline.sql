-- The machine side: who may send, what it sends, what is missing. Values themselves are in history, not here.

-- A Sparkplug group belongs to exactly one organisation.
create table edge_groups (
  group_id text primary key check (group_id <> '' and group_id !~ '[+/#]'),
  org_id uuid not null references organisations,
  unique (group_id, org_id)
);
select andon_protect('edge_groups');

create table edges (
  id uuid primary key,
  org_id uuid not null references organisations,
  group_id text not null,
  edge text not null check (edge <> '' and edge !~ '[+/#]'),
  name text not null,
  secret_hash text not null,
  created_at timestamptz not null,
  connected_at timestamptz,
  disconnected_at timestamptz,
  last_message_at timestamptz,
  unique (group_id, edge),
  foreign key (group_id, org_id) references edge_groups (group_id, org_id)
);
create index edges_org on edges (org_id);
select andon_protect('edges');

-- What a host must know to go on with a session that it did not see begin: written at each birth.
create table edge_sessions (
  edge_id uuid primary key references edges on delete cascade,
  org_id uuid not null references organisations,
  bd_seq integer,
  epoch numeric(20),
  -- Oldest unacknowledged offset and newest accepted one, as the last NBIRTH told them.
  first_offset numeric(20),
  last_offset numeric(20),
  -- Aliases with device, metric name and type, as the births gave them.
  births jsonb not null,
  is_online boolean not null,
  at timestamptz not null
);
select andon_protect('edge_sessions');

create table devices (
  id uuid primary key,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges on delete cascade,
  device text not null,
  profile text,
  status text not null check (status in ('online', 'offline')),
  born_at timestamptz,
  died_at timestamptz,
  unique (edge_id, device)
);
create index devices_org on devices (org_id);
select andon_protect('devices');

-- `key` is the number that history knows the tag by; a path keeps its key for ever.
create table tags (
  key integer generated always as identity primary key,
  id uuid not null unique,
  org_id uuid not null references organisations,
  device_id uuid not null references devices on delete cascade,
  path text not null unique,
  tag text not null,
  type text not null,
  unit text,
  created_at timestamptz not null
);
create index tags_org on tags (org_id);
create index tags_device on tags (device_id);
select andon_protect('tags');

-- Holes in history, for people; the ranges themselves are closed in history, in the commit that stores the gap there.
create table gaps (
  id uuid primary key,
  org_id uuid not null references organisations,
  group_id text not null,
  edge text not null,
  device text,
  epoch numeric(20) not null,
  first_offset numeric(20) not null,
  last_offset numeric(20) not null,
  count numeric(20) not null,
  cause text not null,
  first_at timestamptz,
  last_at timestamptz,
  recorded_at timestamptz not null
);
create index gaps_by_edge on gaps (org_id, group_id, edge, recorded_at desc);
select andon_protect('gaps');

-- Secrets and sessions are the pipeline's alone.
revoke all on edge_groups, edges, edge_sessions, devices, tags, gaps from andon_app;
grant select on edge_groups, devices, tags, gaps to andon_app;
grant select (id, org_id, group_id, edge, name, created_at, connected_at, disconnected_at, last_message_at)
  on edges to andon_app;
