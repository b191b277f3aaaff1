-- State, number, title and revision stand in `records`. Clocks are instants of event time.
create table incidents (
  id uuid primary key references records,
  org_id uuid not null references organisations,
  severity text not null check (severity in ('S1', 'S2', 'S3', 'S4')),
  priority text not null,
  asset_id uuid not null references assets,
  group_asset_id uuid not null references assets,
  channel_id uuid not null references channels,
  trades text[] not null,
  started_at timestamptz not null,
  last_activated_at timestamptz not null,
  opened_at timestamptz not null,
  -- The machine's state tag said that it stood: only after that does running again prove the restore.
  stopped_at timestamptz,
  detected_at timestamptz not null,
  notified_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by uuid references people,
  accepted_at timestamptz,
  accepted_by uuid references people,
  arrived_at timestamptz,
  arrived_by uuid references people,
  contained_at timestamptz,
  contained_by uuid references people,
  restored_at timestamptz,
  restored_by uuid references people,
  restore_proof text check (restore_proof in ('state-tag', 'hand')),
  restore_reason text,
  closed_at timestamptz,
  check ((restored_at is null) = (restore_proof is null)),
  check (restore_proof is distinct from 'hand' or restore_reason is not null)
);
create index incidents_group on incidents (org_id, group_asset_id) where closed_at is null;
create index incidents_recent on incidents (org_id, opened_at desc);
create index incidents_asset on incidents (asset_id);
select andon_protect('incidents');

-- An occurrence belongs to one incident at most: the wall against opening twice.
create table incident_alarms (
  occurrence_id uuid not null,
  org_id uuid not null references organisations,
  incident_id uuid not null references incidents,
  alarm_id uuid not null,
  name jsonb not null,
  priority text not null,
  tag_path text not null,
  level text,
  value jsonb,
  setpoint double precision,
  activated_at timestamptz not null,
  returned_at timestamptz,
  primary key (org_id, occurrence_id)
);
create index incident_alarms_incident on incident_alarms (incident_id);
select andon_protect('incident_alarms');

-- One row a person: what they were asked and what they answered.
create table incident_responders (
  incident_id uuid not null references incidents,
  org_id uuid not null references organisations,
  person_id uuid not null references people,
  trade text,
  page_id uuid,
  paged_at timestamptz,
  delivered_at timestamptz,
  seen_at timestamptz,
  accepted_at timestamptz,
  eta_minutes integer,
  arrived_at timestamptz,
  declined_at timestamptz,
  decline_reason text,
  primary key (incident_id, person_id)
);
create index incident_responders_person on incident_responders (person_id);
select andon_protect('incident_responders');
