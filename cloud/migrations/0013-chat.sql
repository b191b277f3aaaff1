-- A channel is a thread with members; a record has at most one, made when it is first needed.
create table channels (
  id uuid primary key,
  org_id uuid not null references organisations,
  kind text not null check (kind in ('incident', 'record', 'group', 'direct')),
  name jsonb not null,
  record_id uuid unique references records,
  last_seq integer not null default 0,
  last_message_at timestamptz,
  created_at timestamptz not null
);
create index channels_recent on channels (org_id, last_message_at desc nulls last);
select andon_protect('channels');

create table channel_members (
  channel_id uuid not null references channels on delete cascade,
  org_id uuid not null references organisations,
  person_id uuid not null references people,
  joined_at timestamptz not null,
  read_seq integer not null default 0,
  primary key (channel_id, person_id)
);
create index channel_members_person on channel_members (person_id);
select andon_protect('channel_members');

-- `seq` counts from 1 in each channel without a hole: taken from the locked channel row.
create table messages (
  id uuid primary key,
  org_id uuid not null references organisations,
  channel_id uuid not null references channels,
  seq integer not null,
  kind text not null check (kind in ('text', 'system', 'card')),
  author_id uuid references people,
  text text,
  localized jsonb,
  record_id uuid references records,
  at timestamptz not null,
  unique (channel_id, seq)
);
select andon_protect('messages');
