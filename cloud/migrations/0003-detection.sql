-- Detection: alarm points and their state, the alarm log, operator actions, marks, machine states. Written by the shard
-- alone, as andon_system; the people side adds rows to alarm_actions and reads the rest.

-- A definition as the profile of that version declared it.
create table alarm_definitions (
  org_id uuid not null references organisations,
  profile text not null,
  alarm text not null,
  version integer not null,
  document jsonb not null,
  created_at timestamptz not null default now(),
  primary key (org_id, profile, alarm, version)
);
select andon_protect('alarm_definitions');

-- One alarm of one device. `regions` is the engine's state, from which the other columns follow.
create table alarm_points (
  id uuid primary key,
  org_id uuid not null references organisations,
  group_key text not null,
  edge text not null,
  device text not null,
  -- group/edge/device
  device_path text not null,
  tag text not null,
  alarm text not null,
  profile text not null,
  definition_version integer not null,
  name jsonb not null,
  priority text not null check (priority in ('critical', 'high', 'medium', 'low')),
  -- Position of the priority, 0 most urgent.
  urgency smallint not null,
  state text not null check (state in ('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I')),
  is_annunciated boolean not null,
  is_acked boolean not null,
  quality text not null check (quality in ('good', 'bad', 'stale')),
  level text,
  value jsonb,
  setpoint double precision,
  occurrence_id uuid,
  active_since timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  shelved_until timestamptz,
  changed_at timestamptz not null,
  -- Order of the list within one urgency: newest first.
  newest bigint generated always as (-(extract(epoch from changed_at at time zone 'UTC') * 1000)::bigint) stored,
  regions jsonb not null,
  -- The device's profile no longer has this alarm.
  retired_at timestamptz,
  foreign key (org_id, profile, alarm, definition_version) references alarm_definitions,
  unique (device_path, alarm)
);
create index alarm_points_annunciated on alarm_points (org_id, is_acked, urgency, newest, id) where is_annunciated;
create index alarm_points_list on alarm_points (org_id, is_acked, urgency, newest, id);
create index alarm_points_device on alarm_points (org_id, device_path);
create index alarm_points_edge on alarm_points (group_key, edge);
select andon_protect('alarm_points');

-- One activation of an alarm point until everything about it is done.
create table occurrences (
  id uuid primary key,
  org_id uuid not null references organisations,
  point_id uuid not null references alarm_points,
  -- The first-out occurrence that it follows from; its own id when it follows from none.
  cause_id uuid not null,
  definition_version integer not null,
  opened_at timestamptz not null,
  returned_at timestamptz,
  closed_at timestamptz,
  -- Raise details are immutable.
  priority text not null check (priority in ('critical', 'high', 'medium', 'low')),
  level text,
  value jsonb,
  setpoint double precision,
  peak_value double precision,
  peak_at timestamptz,
  count integer not null,
  is_suppressed boolean not null,
  is_late boolean not null
);
create unique index occurrences_one_open on occurrences (point_id) where closed_at is null;
create index occurrences_point on occurrences (point_id, opened_at desc);
create index occurrences_time on occurrences (org_id, opened_at desc);
select andon_protect('occurrences');

create table alarm_log_heads (
  org_id uuid primary key references organisations,
  seq bigint not null
);
select andon_protect('alarm_log_heads');

-- What happened, in the order in which it was committed. `seq` has no gap within an organisation. The id follows from the
-- event, so that evaluating the same samples again adds nothing.
create table alarm_log (
  id uuid primary key,
  org_id uuid not null references organisations,
  seq bigint not null,
  point_id uuid not null references alarm_points,
  occurrence_id uuid,
  transition text not null,
  event_at timestamptz not null,
  recorded_at timestamptz not null,
  state text not null,
  by text,
  event jsonb not null,
  unique (org_id, seq)
);
create unique index alarm_log_once on alarm_log (occurrence_id, transition, event_at) where by is null;
create index alarm_log_occurrence on alarm_log (occurrence_id, seq);
create index alarm_log_point on alarm_log (point_id, seq);
create index alarm_log_time on alarm_log (org_id, event_at);
select andon_protect('alarm_log');
create trigger append_only before update or delete or truncate on alarm_log
  for each statement execute function andon_append_only();

-- Operator actions that wait for the shard, and what became of them.
create table alarm_actions (
  position bigint generated always as identity unique,
  id uuid primary key,
  org_id uuid not null references organisations,
  point_id uuid not null,
  kind text not null check (kind in ('acknowledge', 'confirm', 'reset', 'shelve', 'shelve-one-shot', 'unshelve', 'suppress',
    'unsuppress', 'out-of-service', 'return-to-service')),
  by text not null,
  comment text,
  until timestamptz,
  -- The occurrence that the person saw; when another one is open by then, the action is refused.
  occurrence_id uuid,
  -- The suppression rule, or the open work order that takes the alarm out of service.
  reference text,
  at timestamptz not null,
  applied_at timestamptz,
  -- {status: applied | refused, error?, state}
  result jsonb,
  check ((applied_at is null) = (result is null))
);
create index alarm_actions_waiting on alarm_actions (position) where applied_at is null;
create index alarm_actions_point on alarm_actions (point_id, position);
select andon_protect('alarm_actions');

create function andon_alarm_action_hint() returns trigger language plpgsql as $$
begin
  perform pg_notify('andon_alarm_actions', '');
  return null;
end $$;
create trigger alarm_actions_hint after insert on alarm_actions
  for each statement execute function andon_alarm_action_hint();

-- Offsets of a journal whose samples are evaluated, their events committed: merged ranges [[first, last], …] as text.
create table detection_marks (
  group_key text not null,
  edge text not null,
  epoch numeric(20) not null,
  org_id uuid not null references organisations,
  ranges jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (group_key, edge, epoch)
);
select andon_protect('detection_marks');

-- What the detectors of an edge remember at its marks: newest value and time of each point, windows, the event clock.
create table detection_checkpoints (
  group_key text not null,
  edge text not null,
  org_id uuid not null references organisations,
  memory jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (group_key, edge)
);
select andon_protect('detection_checkpoints');

-- What each machine did, as intervals; the present one has no end.
create table machine_states (
  device_path text not null,
  since timestamptz not null,
  org_id uuid not null references organisations,
  group_key text not null,
  edge text not null,
  device text not null,
  state text not null,
  until timestamptz check (until > since),
  primary key (device_path, since)
);
create unique index machine_states_present on machine_states (device_path) where until is null;
create index machine_states_time on machine_states (org_id, device_path, since desc);
select andon_protect('machine_states');

revoke insert, update, delete on alarm_definitions, alarm_points, occurrences, alarm_log_heads, alarm_log, detection_marks,
  detection_checkpoints, machine_states from andon_app;
revoke update, delete, truncate on alarm_log from andon_system;
revoke update, delete on alarm_actions from andon_app;
