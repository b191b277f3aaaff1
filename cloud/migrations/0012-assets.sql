-- The ISA-95 tree. Each asset is a record; a device on the wire speaks for at most one asset.
create table assets (
  id uuid primary key references records,
  org_id uuid not null references organisations,
  parent_id uuid references assets,
  code text not null,
  name jsonb not null,
  kind text not null,
  asset_class text,
  criticality text check (criticality in ('A', 'B', 'C')),
  position integer not null,
  owner_id uuid references people,
  device_group text,
  device_edge text,
  device_name text,
  unique (org_id, code),
  unique (org_id, device_group, device_edge, device_name),
  check ((device_group is null) = (device_edge is null) and (device_edge is null) = (device_name is null))
);
create index assets_parent on assets (parent_id);
select andon_protect('assets');
