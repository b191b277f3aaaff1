-- State, number, title and revision stand in `records`. `facts` is null until approval freezes what was read from events.
create table retros (
  id uuid primary key references records,
  org_id uuid not null references organisations,
  incident_id uuid not null unique references incidents,
  summary text,
  whys jsonb not null,
  facts jsonb,
  submitted_by uuid references people,
  approved_by uuid references people,
  approved_at timestamptz
);
select andon_protect('retros');

create table retro_actions (
  id uuid primary key,
  org_id uuid not null references organisations,
  retro_id uuid not null references retros,
  position integer not null,
  text text not null,
  type text not null check (type in ('contain', 'correct', 'prevent')),
  owner_id uuid references people,
  due_at timestamptz,
  done_at timestamptz,
  unique (retro_id, position)
);
select andon_protect('retro_actions');
