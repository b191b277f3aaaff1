-- What every module stands on. Runs as andon_owner; the three roles exist before the first migration.

-- Row-level security for one table with org_id: andon_app works inside one organisation, andon_system and the owner (whose
-- SECURITY DEFINER functions find the organisation at sign-in) see all. Every migration calls it for every such table.
create function andon_protect(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy one_organisation on %s to andon_app '
    'using (org_id = nullif(current_setting(''andon.org'', true), '''')::uuid) '
    'with check (org_id = nullif(current_setting(''andon.org'', true), '''')::uuid)', target);
  execute format('create policy whole_system on %s to andon_system, andon_owner using (true) with check (true)', target);
end $$;

create table organisations (
  id uuid primary key,
  key text not null unique,
  name jsonb not null,
  created_at timestamptz not null
);
alter table organisations enable row level security;
alter table organisations force row level security;
create policy one_organisation on organisations to andon_app
  using (id = nullif(current_setting('andon.org', true), '')::uuid)
  with check (id = nullif(current_setting('andon.org', true), '')::uuid);
create policy whole_system on organisations to andon_system, andon_owner using (true) with check (true);

-- Identity ---------------------------------------------------------------------------------------------------------------

create table accounts (
  id uuid primary key,
  org_id uuid not null references organisations,
  person_id uuid not null unique,
  user_name text not null unique check (user_name = lower(user_name) and user_name <> ''),
  display_name text not null,
  roles text[] not null,
  password_hash text,
  failed_sign_ins integer not null default 0,
  locked_until timestamptz,
  disabled_at timestamptz,
  created_at timestamptz not null
);
create index accounts_org on accounts (org_id);
select andon_protect('accounts');

create table sessions (
  id uuid primary key,
  org_id uuid not null references organisations,
  account_id uuid not null references accounts on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  seen_at timestamptz not null,
  user_agent text,
  address text
);
create index sessions_account on sessions (account_id);
create index sessions_expiry on sessions (expires_at);
select andon_protect('sessions');

create table api_tokens (
  id uuid primary key,
  org_id uuid not null references organisations,
  account_id uuid not null references accounts on delete cascade,
  name text not null,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz
);
create index api_tokens_account on api_tokens (account_id);
select andon_protect('api_tokens');

-- One-time links that set a password: the first administrator, a reset.
create table password_links (
  id uuid primary key,
  org_id uuid not null references organisations,
  account_id uuid not null references accounts on delete cascade,
  token_hash bytea not null unique,
  expires_at timestamptz not null,
  used_at timestamptz
);
select andon_protect('password_links');

-- The organisation is not known yet when these are called; each answers one row for one secret or name.
create function andon_account_for_sign_in(wanted text)
returns table (id uuid, org_id uuid, password_hash text, locked_until timestamptz, disabled_at timestamptz)
language sql stable security definer set search_path = public as $$
  select a.id, a.org_id, a.password_hash, a.locked_until, a.disabled_at from accounts a where a.user_name = wanted
$$;

create function andon_session_by_token(wanted bytea)
returns table (session_id uuid, org_id uuid, account_id uuid, person_id uuid, display_name text, roles text[],
               expires_at timestamptz, seen_at timestamptz)
language sql stable security definer set search_path = public as $$
  select s.id, s.org_id, a.id, a.person_id, a.display_name, a.roles, s.expires_at, s.seen_at
  from sessions s join accounts a on a.id = s.account_id
  where s.token_hash = wanted and a.disabled_at is null
$$;

create function andon_account_by_api_token(wanted bytea)
returns table (token_id uuid, org_id uuid, account_id uuid, person_id uuid, display_name text, roles text[],
               expires_at timestamptz)
language sql stable security definer set search_path = public as $$
  select t.id, t.org_id, a.id, a.person_id, a.display_name, a.roles, t.expires_at
  from api_tokens t join accounts a on a.id = t.account_id
  where t.token_hash = wanted and t.revoked_at is null and a.disabled_at is null
$$;

create function andon_password_link(wanted bytea)
returns table (id uuid, org_id uuid, account_id uuid, user_name text, expires_at timestamptz, used_at timestamptz)
language sql stable security definer set search_path = public as $$
  select l.id, l.org_id, a.id, a.user_name, l.expires_at, l.used_at
  from password_links l join accounts a on a.id = l.account_id
  where l.token_hash = wanted
$$;

revoke all on function andon_account_for_sign_in, andon_session_by_token, andon_account_by_api_token, andon_password_link
  from public;
grant execute on function andon_account_for_sign_in, andon_session_by_token, andon_account_by_api_token,
  andon_password_link to andon_app, andon_system;

-- Records ----------------------------------------------------------------------------------------------------------------

create table records (
  id uuid primary key,
  org_id uuid not null references organisations,
  type text not null,
  number text,
  title jsonb not null,
  state text not null,
  owner_id uuid,
  department_id uuid,
  level text not null default 'green',
  region text,
  revision integer not null default 1,
  cause_id uuid,
  data jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (org_id, number)
);
create index records_by_type on records (org_id, type, created_at desc);
create index records_by_cause on records (cause_id) where cause_id is not null;
select andon_protect('records');

create table record_numbers (
  org_id uuid not null references organisations,
  series text not null,
  year integer not null,
  last integer not null,
  primary key (org_id, series, year)
);
select andon_protect('record_numbers');

create table activity (
  id uuid primary key,
  org_id uuid not null references organisations,
  record_id uuid not null references records on delete cascade,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('person', 'token', 'system')),
  actor_id uuid,
  type text not null,
  cause_id uuid,
  data jsonb not null
);
create index activity_by_record on activity (record_id, at, id);
select andon_protect('activity');

create table inbox_items (
  id uuid primary key,
  org_id uuid not null references organisations,
  person_id uuid not null,
  record_id uuid not null references records on delete cascade,
  kind text not null check (kind in ('acknowledge', 'approve', 'fill', 'task', 'review')),
  is_urgent boolean not null default false,
  title jsonb not null,
  detail jsonb,
  severity text,
  priority text,
  href text not null,
  page_id uuid,
  cause_id uuid,
  created_at timestamptz not null,
  due_at timestamptz,
  done_at timestamptz,
  done_by uuid
);
create unique index inbox_items_open on inbox_items (person_id, record_id, kind) where done_at is null;
create index inbox_items_by_person on inbox_items (org_id, person_id, created_at desc);
create index inbox_items_by_record on inbox_items (record_id) where done_at is null;
select andon_protect('inbox_items');

-- The door ---------------------------------------------------------------------------------------------------------------

create table idempotency_keys (
  org_id uuid not null references organisations,
  actor_id uuid not null,
  key text not null,
  command text not null,
  input_hash bytea not null,
  answer jsonb,
  at timestamptz not null,
  primary key (org_id, actor_id, key)
);
create index idempotency_keys_age on idempotency_keys (at);
select andon_protect('idempotency_keys');

create table audit (
  id bigint generated always as identity primary key,
  org_id uuid not null references organisations,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('person', 'token', 'system')),
  actor_id uuid,
  actor_name text not null,
  command text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  rule text not null,
  record_id uuid,
  reason text,
  address text,
  user_agent text,
  input jsonb,
  previous_hash bytea,
  hash bytea
);
create index audit_by_time on audit (org_id, id desc);
create index audit_by_record on audit (record_id, id desc) where record_id is not null;
select andon_protect('audit');

create function andon_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name;
end $$;
create trigger append_only before update or delete or truncate on audit
  for each statement execute function andon_append_only();

-- Outbox and stream ------------------------------------------------------------------------------------------------------

create table outbox (
  position bigint generated always as identity primary key,
  id uuid not null unique,
  org_id uuid not null references organisations,
  type text not null,
  topics text[] not null,
  record_id uuid,
  cause_id uuid,
  at timestamptz not null,
  data jsonb not null
);
select andon_protect('outbox');

create function andon_outbox_hint() returns trigger language plpgsql as $$
begin
  perform pg_notify('andon_outbox', '');
  return null;
end $$;
create trigger outbox_hint after insert on outbox for each statement execute function andon_outbox_hint();

-- Filled by the one relay alone, which holds the row of stream_head while it numbers: seq is gapless, in commit order.
create table stream_events (
  seq bigint primary key,
  id uuid not null unique,
  org_id uuid not null references organisations,
  type text not null,
  topics text[] not null,
  record_id uuid,
  cause_id uuid,
  at timestamptz not null,
  data jsonb not null
);
select andon_protect('stream_events');

create table stream_head (
  singleton boolean primary key default true check (singleton),
  last_seq bigint not null,
  -- The oldest event that is still kept; a reader from before it is told to read its lists again.
  first_seq bigint not null
);
insert into stream_head (last_seq, first_seq) values (0, 1);

-- Moves up to `most` committed events from the outbox to the stream and answers them in order.
create function andon_relay(most integer) returns setof stream_events language plpgsql as $$
declare
  head bigint;
  moved bigint;
begin
  select last_seq into head from stream_head for update;
  return query
    with taken as (
      delete from outbox o where o.position in (select position from outbox order by position limit most) returning o.*
    )
    insert into stream_events (seq, id, org_id, type, topics, record_id, cause_id, at, data)
    select head + row_number() over (order by t.position), t.id, t.org_id, t.type, t.topics, t.record_id, t.cause_id,
           t.at, t.data
    from taken t order by t.position
    returning *;
  get diagnostics moved = row_count;
  if moved > 0 then
    update stream_head set last_seq = head + moved;
  end if;
end $$;

create table consumers (
  name text primary key,
  last_seq bigint not null
);

create table parked_events (
  consumer text not null,
  seq bigint not null,
  org_id uuid not null references organisations,
  attempts integer not null,
  error text not null,
  parked_at timestamptz not null,
  primary key (consumer, seq)
);
select andon_protect('parked_events');

-- Rights -----------------------------------------------------------------------------------------------------------------

-- Tables of later migrations get the same rights by default privileges, set when the roles are made.
revoke update, delete, truncate on audit from andon_app, andon_system;
revoke all on organisations from andon_app;
grant select on organisations to andon_app;
revoke all on stream_head, consumers, parked_events, outbox, stream_events from andon_app;
grant insert on outbox to andon_app;
grant select on stream_events, stream_head to andon_app;
