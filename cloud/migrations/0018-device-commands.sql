-- Values that people had written to devices, by the id that the caller gave: asked for once, answered once.
create table device_commands (
  id uuid primary key,
  org_id uuid not null references organisations,
  device_id uuid not null references devices,
  -- [{tag, value}]; integers beyond 2^53 as text.
  writes jsonb not null,
  asked_by text not null,
  asked_at timestamptz not null,
  -- Set by the one request that sends it to the machine side.
  taken_at timestamptz,
  status text check (status in ('done', 'refused', 'failed', 'sent', 'timed-out')),
  error text,
  settled_at timestamptz
);
create index device_commands_device on device_commands (device_id, asked_at desc);
select andon_protect('device_commands');
