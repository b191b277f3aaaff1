-- Where the detectors stood before offsets of a journal went missing, until what comes for them late has been judged.
create table detection_gaps (
  group_key text not null,
  edge text not null,
  epoch numeric(20) not null,
  first_offset numeric(20) not null,
  last_offset numeric(20) not null,
  org_id uuid not null references organisations,
  -- Server time of the first late sample that has not been judged, ms since 1970.
  first_late_at double precision,
  -- Source times of the late samples, ms since 1970.
  late_from double precision,
  late_to double precision,
  primary key (group_key, edge, epoch, first_offset)
);
select andon_protect('detection_gaps');

-- A tag from its first sample after the gap on; tags that have not moved stand where they stood.
create table detection_gap_tags (
  group_key text not null,
  edge text not null,
  epoch numeric(20) not null,
  first_offset numeric(20) not null,
  device text not null,
  tag text not null,
  org_id uuid not null references organisations,
  live_at double precision not null,
  is_late boolean not null,
  -- By alarm point: {state, activated?}, the state without what it has in common with one that has seen nothing.
  points jsonb not null,
  primary key (group_key, edge, epoch, first_offset, device, tag),
  foreign key (group_key, edge, epoch, first_offset) references detection_gaps on delete cascade
);
select andon_protect('detection_gap_tags');

revoke insert, update, delete on detection_gaps, detection_gap_tags from andon_app;
create trigger fenced before insert or update on detection_gaps for each statement execute function andon_check_fence();
create trigger fenced before insert or update on detection_gap_tags for each statement execute function andon_check_fence();

create function andon_keep_gaps(batch jsonb) returns void language plpgsql as $$
begin
  insert into detection_gaps (group_key, edge, epoch, first_offset, last_offset, org_id, first_late_at, late_from, late_to)
  select group_key, edge, epoch, first_offset, last_offset, org_id, first_late_at, late_from, late_to
  from jsonb_populate_recordset(null::detection_gaps, batch -> 'gaps')
  on conflict (group_key, edge, epoch, first_offset) do update set last_offset = excluded.last_offset,
    first_late_at = excluded.first_late_at, late_from = excluded.late_from, late_to = excluded.late_to;
  insert into detection_gap_tags (group_key, edge, epoch, first_offset, device, tag, org_id, live_at, is_late, points)
  select group_key, edge, epoch, first_offset, device, tag, org_id, live_at, is_late, points
  from jsonb_populate_recordset(null::detection_gap_tags, batch -> 'tags')
  on conflict (group_key, edge, epoch, first_offset, device, tag) do update set is_late = excluded.is_late,
    points = excluded.points;
  delete from detection_gaps g using jsonb_populate_recordset(null::detection_gaps, batch -> 'closed') c
  where (g.group_key, g.edge, g.epoch, g.first_offset) = (c.group_key, c.edge, c.epoch, c.first_offset);
end $$;
revoke all on function andon_keep_gaps from public;
grant execute on function andon_keep_gaps to andon_system;
