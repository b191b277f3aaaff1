-- Which processes work as the machine side, and which edges each of them has. A process joins with a fence, a number that
-- nobody had before, and renews its row. It carries the fence in the setting andon.fence of every connection, and whatever it
-- writes is refused once its row is gone: a process that was stopped for a while and goes on cannot change what its
-- successors have written.
create table pipeline_members (
  fence bigint generated always as identity primary key,
  renewed_at timestamptz not null,
  expires_at timestamptz not null,
  -- {host, port, pid} where other processes ask it; null while it starts or leaves: it is given no edges then.
  address jsonb,
  -- Settings without which it cannot work beside others.
  lacks text[] not null
);
revoke all on pipeline_members from andon_app;

-- Of this connection; null for who never joined.
create function andon_fence() returns bigint language sql stable as
$$ select nullif(current_setting('andon.fence', true), '')::bigint $$;

-- A new edge belongs to the member that registers it.
alter table edges
  add column owner_fence bigint default andon_fence() references pipeline_members on delete set null,
  -- When its owner last had it for sure; null before its first owner.
  add column owned_until timestamptz;
create index edges_owner on edges (owner_fence);

-- Which process speaks for the host: it holds STATE. It changes hands by compare and swap.
create table pipeline_speaker (
  id smallint primary key check (id = 1),
  fence bigint references pipeline_members on delete set null
);
revoke all on pipeline_speaker from andon_app;
insert into pipeline_speaker (id) values (1);

-- The member's row stays locked until the end of the transaction, so that nobody takes over in the middle of it; renewing it
-- goes on, since that changes no key. Whoever never joined writes where there are no members, as with the embedded database
-- that only one process can have.
create function andon_check_fence() returns trigger language plpgsql as $$
begin
  if current_user = 'andon_owner' or (andon_fence() is null and not exists (select from pipeline_members)) then
    return null;
  end if;
  perform from pipeline_members where fence = andon_fence() for key share;
  if not found then
    raise exception 'Another process has taken over from this one' using errcode = 'AN001';
  end if;
  return null;
end $$;

do $$
declare
  name text;
begin
  foreach name in array array['alarm_points', 'occurrences', 'alarm_log', 'detection_marks', 'detection_checkpoints',
    'machine_states', 'edges', 'edge_sessions', 'devices', 'tags', 'gaps', 'history_marks', 'history_gaps',
    'history_refusals']
  loop
    execute format('create trigger fenced before insert or update on %I for each statement execute function andon_check_fence()', name);
  end loop;
end $$;

-- A mark acknowledges samples and a session is what a successor goes on from: only the edge's owner writes them. Its row above
-- is locked, so that the edge cannot go to another one meanwhile.
do $$
declare
  target record;
  event text;
begin
  for target in
    select * from (values
      ('edge_sessions', 'e.id = w.edge_id'),
      ('history_marks', 'e.group_id = w.group_id and e.edge = w.edge'),
      ('detection_marks', 'e.group_id = w.group_key and e.edge = w.edge')) as t (name, joined)
  loop
    execute format($f$
      create function andon_check_owner_of_%1$s() returns trigger language plpgsql as $body$
      begin
        if current_user <> 'andon_owner' and (andon_fence() is not null or exists (select from pipeline_members)) and exists (
          select from written w join edges e on %2$s where e.owner_fence is distinct from andon_fence()
        ) then
          raise exception 'The edge belongs to another process' using errcode = 'AN002';
        end if;
        return null;
      end $body$
    $f$, target.name, target.joined);
    foreach event in array array['insert', 'update'] loop
      execute format('create trigger owned_at_%1$s after %1$s on %2$I referencing new table as written
        for each statement execute function andon_check_owner_of_%2$s()', event, target.name);
    end loop;
  end loop;
end $$;

-- An edge goes from nobody to the member that takes it, and from its owner to nobody.
create function andon_check_hand_over() returns trigger language plpgsql as $$
begin
  if current_user <> 'andon_owner' and
    (coalesce(old.owner_fence, new.owner_fence) is distinct from andon_fence() or
     coalesce(new.owner_fence, old.owner_fence) is distinct from andon_fence()) then
    raise exception 'The edge belongs to another process' using errcode = 'AN002';
  end if;
  return new;
end $$;
create trigger handed_over before update of owner_fence on edges for each row
  when (old.owner_fence is distinct from new.owner_fence) execute function andon_check_hand_over();

-- Declares those dead who have not renewed in time; their edges then wait for an owner. One with a transaction open is left
-- for the next time: PostgreSQL ends a transaction that stands still. Answers how many were found dead.
create function andon_bury_members() returns integer language plpgsql security definer
set search_path = public, pg_temp as $$
declare
  dead bigint[];
begin
  dead := array(select fence from pipeline_members where expires_at <= now() for update skip locked);
  if cardinality(dead) = 0 then
    return 0;
  end if;
  update edges e set owner_fence = null, owned_until = m.renewed_at
  from pipeline_members m where m.fence = any (dead) and e.owner_fence = m.fence;
  delete from pipeline_members where fence = any (dead);
  perform pg_notify('andon_shards', '');
  return cardinality(dead);
end $$;
revoke all on function andon_bury_members from public;
grant execute on function andon_bury_members to andon_system;
