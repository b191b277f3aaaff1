-- Which process works as the machine side, when several could. The fence grows with each change of hands. A process carries
-- its own in the setting andon.fence of every connection, and whatever it writes is refused once another one has taken over:
-- a process that was stopped for a while and goes on cannot change what its successor has written.
create table pipeline_lease (
  id smallint primary key check (id = 1),
  owner uuid not null,
  fence bigint not null,
  expires_at timestamptz not null,
  -- {host, port} where other processes ask the pipeline; null while it starts.
  address jsonb
);
revoke all on pipeline_lease from andon_app;

-- The row stays locked until the end of the transaction, so that nobody takes over in the middle of it. Without a lease, as
-- with the embedded database that only one process can have, everything passes.
create function andon_check_fence() returns trigger language plpgsql as $$
declare
  own bigint := nullif(current_setting('andon.fence', true), '')::bigint;
begin
  if current_user = 'andon_owner' or not exists (select from pipeline_lease) then
    return null;
  end if;
  perform from pipeline_lease where fence = own for share;
  if not found then
    raise exception 'Another process has taken the machine side over' using errcode = 'AN001';
  end if;
  return null;
end $$;

do $$
declare
  name text;
begin
  foreach name in array array['alarm_points', 'occurrences', 'alarm_log', 'detection_marks', 'detection_checkpoints',
    'machine_states', 'edge_sessions', 'devices', 'tags', 'gaps', 'history_marks', 'history_gaps', 'history_refusals']
  loop
    execute format('create trigger fenced before insert or update on %I for each statement execute function andon_check_fence()', name);
  end loop;
end $$;
