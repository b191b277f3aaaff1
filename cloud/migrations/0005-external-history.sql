-- Beside values in InfluxDB or VictoriaMetrics: which offsets are there, which are missing, and what was never taken.
-- Written after the engine has confirmed the values; the pipeline's alone.

create table history_marks (
  group_id text not null,
  edge text not null,
  epoch numeric(20) not null,
  org_id uuid not null references organisations,
  ranges text not null,
  updated_at timestamptz not null default now(),
  primary key (group_id, edge, epoch),
  foreign key (group_id, org_id) references edge_groups (group_id, org_id)
);
create index history_marks_org on history_marks (org_id);
select andon_protect('history_marks');

-- Gaps as the commit stored them; the table `gaps` tells them to people.
create table history_gaps (
  id uuid primary key,
  org_id uuid not null references organisations,
  group_id text not null,
  edge text not null,
  epoch numeric(20) not null,
  device text,
  first_offset numeric(20) not null,
  last_offset numeric(20) not null,
  count numeric(20) not null,
  cause text not null,
  -- ms since 1970, as the edge wrote them.
  first_time double precision,
  last_time double precision,
  recorded_at double precision not null,
  foreign key (group_id, org_id) references edge_groups (group_id, org_id)
);
create index history_gaps_org on history_gaps (org_id);
select andon_protect('history_gaps');

-- Values that the engine would have dropped in silence: older than its retention, or too far in the future.
create table history_refusals (
  id uuid primary key default uuidv7(),
  org_id uuid not null references organisations,
  group_id text not null,
  edge text not null,
  reason text not null check (reason in ('older', 'newer')),
  count bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  refused_at timestamptz not null,
  foreign key (group_id, org_id) references edge_groups (group_id, org_id)
);
create index history_refusals_org on history_refusals (org_id);
select andon_protect('history_refusals');

revoke all on history_marks, history_gaps, history_refusals from andon_app;
