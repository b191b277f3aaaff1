-- The checkpoint of an edge's detectors as bytes: a base of all points and, beside it, the points that changed since. Before, each
-- commit wrote all points of the edge as JSON: at 100,000 points that was half a second of CPU, however few had changed.
alter table detection_checkpoints
  -- Grows with each commit of the edge; a point's own row with a greater one is newer than its memory here.
  add column revision bigint not null default 0,
  -- The edge's event clock, ms since 1970.
  add column event_at double precision,
  -- By device: newest value of the machine-state tag and what it told.
  add column machines jsonb,
  -- As packMemory() writes them. An update that leaves the base alone does not write it again.
  add column base bytea,
  add column changes bytea not null default '';
alter table detection_checkpoints alter column base set storage external, alter column changes set storage external;
alter table alarm_points add column revision bigint not null default 0;

update detection_checkpoints c set
  event_at = (memory ->> 'eventAt')::double precision,
  machines = memory -> 'machines',
  base = coalesce((
    select string_agg(
      uuid_send(p.id::uuid) || float8send((p.memory ->> 'valueAt')::double precision) || '\x01'::bytea
        || int4send(octet_length(t.text)) || t.text, ''::bytea)
    from jsonb_each(c.memory -> 'points') as p (id, memory),
      lateral (select convert_to(jsonb_build_array(p.memory -> 'value', p.memory -> 'rate')::text, 'UTF8')) as t (text)
    where jsonb_typeof(p.memory -> 'valueAt') = 'number'
  ), '');
alter table detection_checkpoints drop column memory;

drop function andon_commit_detection(jsonb);
-- What the shard commits, in one call: one round trip and cached plans keep an alarm a few milliseconds from its sample.
-- Safe to repeat when the outcome of an attempt is unknown: what is logged is neither logged nor told again.
-- `memory` holds the bytes of all checkpoints of the batch, which name their places in it.
create function andon_commit_detection(batch jsonb, memory bytea) returns void language plpgsql as $$
declare
  machine record;
begin
  if jsonb_array_length(batch -> 'definitions') > 0 then
    insert into alarm_definitions (org_id, profile, alarm, version, document)
    select distinct on (org_id, profile, alarm, version) org_id, profile, alarm, version, document
    from jsonb_to_recordset(batch -> 'definitions')
      as d (org_id uuid, profile text, alarm text, version integer, document jsonb)
    on conflict (org_id, profile, alarm, version) do update set document = excluded.document
      where alarm_definitions.document <> excluded.document;
    insert into alarm_points (id, org_id, group_key, edge, device, device_path, tag, alarm, profile, definition_version,
      name, priority, urgency, state, is_annunciated, is_acked, quality, changed_at, regions)
    select id, org_id, group_key, edge, device, device_path, tag, alarm, profile, definition_version,
      name, priority, urgency, state, is_annunciated, is_acked, quality, changed_at, regions
    from jsonb_populate_recordset(null::alarm_points, batch -> 'bound')
    on conflict (id) do update set tag = excluded.tag, profile = excluded.profile, name = excluded.name,
      definition_version = excluded.definition_version, retired_at = null;
  end if;

  if jsonb_array_length(batch -> 'points') > 0 then
    update alarm_points p set priority = n.priority, urgency = n.urgency, state = n.state, quality = n.quality,
      is_annunciated = n.is_annunciated, is_acked = n.is_acked, level = n.level, value = n.value, setpoint = n.setpoint,
      occurrence_id = n.occurrence_id, active_since = n.active_since, acknowledged_at = n.acknowledged_at,
      acknowledged_by = n.acknowledged_by, shelved_until = n.shelved_until, changed_at = n.changed_at,
      regions = n.regions, retired_at = n.retired_at, revision = n.revision
    from jsonb_populate_recordset(null::alarm_points, batch -> 'points') n
    where p.id = n.id;
  end if;

  -- Numbers the events that are not logged yet, gapless by organisation, and tells exactly those.
  if jsonb_array_length(batch -> 'events') > 0 then
    insert into alarm_log_heads (org_id, seq)
    select distinct (e ->> 'org_id')::uuid, 0 from jsonb_array_elements(batch -> 'events') e
    on conflict do nothing;
    perform from alarm_log_heads h
    where h.org_id in (select (e ->> 'org_id')::uuid from jsonb_array_elements(batch -> 'events') e)
    order by h.org_id for update;
    with incoming as (
      select * from jsonb_to_recordset(batch -> 'events') as e (ord integer, id uuid, org_id uuid, point_id uuid,
        occurrence_id uuid, transition text, event_at timestamptz, recorded_at timestamptz, state text, by text,
        event jsonb)
    ), fresh as (
      select i.*, row_number() over (partition by i.org_id order by i.ord) as place
      from incoming i where not exists (select 1 from alarm_log l where l.id = i.id)
    ), logged as (
      insert into alarm_log (id, org_id, seq, point_id, occurrence_id, transition, event_at, recorded_at, state, by, event)
      select f.id, f.org_id, h.seq + f.place, f.point_id, f.occurrence_id, f.transition, f.event_at, f.recorded_at,
        f.state, f.by, f.event
      from fresh f join alarm_log_heads h on h.org_id = f.org_id order by f.ord
    ), moved as (
      update alarm_log_heads h set seq = h.seq + c.number
      from (select org_id, count(*) as number from fresh group by org_id) c where c.org_id = h.org_id
    )
    insert into outbox (id, org_id, type, topics, record_id, cause_id, at, data)
    select uuidv7(), org_id, 'alarm.changed', array['alarms'], null, occurrence_id, recorded_at, event
    from fresh order by ord;
  end if;

  -- Ends first: an alarm that closes and opens again in one batch never has two occurrences open at once.
  if jsonb_array_length(batch -> 'patches') > 0 then
    update occurrences o set
      returned_at = case when n.tells_return then n.returned_at else o.returned_at end,
      closed_at = coalesce(n.closed_at, o.closed_at),
      count = n.count,
      peak_value = coalesce(n.peak_value, o.peak_value),
      peak_at = coalesce(n.peak_at, o.peak_at)
    from jsonb_to_recordset(batch -> 'patches') as n (id uuid, tells_return boolean, returned_at timestamptz,
      closed_at timestamptz, count integer, peak_value double precision, peak_at timestamptz)
    where o.id = n.id;
  end if;
  if jsonb_array_length(batch -> 'occurrences') > 0 then
    insert into occurrences select * from jsonb_populate_recordset(null::occurrences, batch -> 'occurrences')
    on conflict (id) do nothing;
  end if;

  for machine in
    select * from jsonb_to_recordset(batch -> 'machines') as m (device_path text, since timestamptz, org_id uuid,
      group_key text, edge text, device text, state text, event jsonb)
  loop
    update machine_states set until = machine.since
    where device_path = machine.device_path and until is null and since < machine.since;
    insert into machine_states (device_path, since, org_id, group_key, edge, device, state)
    values (machine.device_path, machine.since, machine.org_id, machine.group_key, machine.edge, machine.device,
      machine.state)
    on conflict (device_path, since) do update set state = excluded.state where machine_states.state <> excluded.state;
    if found then
      insert into outbox (id, org_id, type, topics, record_id, cause_id, at, data)
      values (uuidv7(), machine.org_id, 'machine-state.changed', array['assets'], null, null, machine.since, machine.event);
    end if;
  end loop;

  if jsonb_array_length(batch -> 'actions') > 0 then
    update alarm_actions a set applied_at = n.applied_at, result = n.result
    from jsonb_to_recordset(batch -> 'actions') as n (id uuid, applied_at timestamptz, result jsonb)
    where a.id = n.id and a.applied_at is null;
    perform pg_notify('andon_alarm_actions_applied', n ->> 'id') from jsonb_array_elements(batch -> 'actions') n;
  end if;

  insert into detection_checkpoints (group_key, edge, org_id, revision, event_at, machines, base, changes)
  select group_key, edge, org_id, revision, event_at, machines,
    substring(memory from base_at + 1 for base_size), substring(memory from changes_at + 1 for changes_size)
  from jsonb_to_recordset(batch -> 'checkpoints') as c (group_key text, edge text, org_id uuid, revision bigint,
    event_at double precision, machines jsonb, base_at integer, base_size integer, changes_at integer, changes_size integer)
  on conflict (group_key, edge) do update set revision = excluded.revision, event_at = excluded.event_at,
    machines = coalesce(excluded.machines, detection_checkpoints.machines),
    base = coalesce(excluded.base, detection_checkpoints.base), changes = excluded.changes, updated_at = now();
  insert into detection_marks (group_key, edge, epoch, org_id, ranges)
  select * from jsonb_to_recordset(batch -> 'marks')
    as c (group_key text, edge text, epoch numeric, org_id uuid, ranges jsonb)
  on conflict (group_key, edge, epoch) do update set ranges = excluded.ranges, updated_at = now();
end $$;
revoke all on function andon_commit_detection from public;
grant execute on function andon_commit_detection to andon_system;
