-- A page is one urgent call of one person about one record. A step calls a person once; steps count on when a record is
-- reopened, and calls by name count down from -1.
create table pages (
  id uuid primary key,
  org_id uuid not null references organisations,
  record_id uuid not null references records,
  person_id uuid not null references people,
  trade text,
  step integer not null,
  sent_at timestamptz not null,
  delivered_at timestamptz,
  seen_at timestamptz,
  accepted_at timestamptz,
  declined_at timestamptz,
  unique (record_id, person_id, step)
);
create index pages_person on pages (person_id, sent_at desc);
select andon_protect('pages');

-- Who is called next when nobody of the trade has accepted. Holds the policy as it was when the escalation started.
create table escalations (
  record_id uuid not null references records,
  org_id uuid not null references organisations,
  trade text not null,
  first_step integer not null,
  step integer not null,
  after_minutes integer not null,
  schedule_id uuid references schedules,
  fallback_role text not null,
  job_id uuid,
  started_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  primary key (record_id, trade)
);
select andon_protect('escalations');
