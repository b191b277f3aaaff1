-- Duty: one schedule a trade, its layers of people who take turns, and who stands in for whom.
create table schedules (
  id uuid primary key,
  org_id uuid not null references organisations,
  key text not null,
  name jsonb not null,
  trade text not null,
  time_zone text not null,
  fallback_role text not null,
  escalate_after_minutes integer not null check (escalate_after_minutes > 0),
  position integer not null,
  unique (org_id, key),
  unique (org_id, trade)
);
select andon_protect('schedules');

create table schedule_rotations (
  id uuid primary key,
  org_id uuid not null references organisations,
  schedule_id uuid not null references schedules on delete cascade,
  layer text not null check (layer in ('primary', 'backup')),
  starts_at timestamptz not null,
  turn_hours numeric not null check (turn_hours > 0),
  person_ids uuid[] not null,
  unique (schedule_id, layer)
);
select andon_protect('schedule_rotations');

create table schedule_overrides (
  id uuid primary key,
  org_id uuid not null references organisations,
  schedule_id uuid not null references schedules on delete cascade,
  person_id uuid not null references people,
  from_at timestamptz not null,
  to_at timestamptz not null,
  check (from_at < to_at)
);
create index schedule_overrides_time on schedule_overrides (schedule_id, to_at);
select andon_protect('schedule_overrides');
