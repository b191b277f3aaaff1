-- Payloads on which the machine side's own code failed, as they came: for whoever mends it.
create table set_aside_payloads (
  id uuid primary key,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges,
  at timestamptz not null,
  message text not null,
  device text,
  error text not null,
  payload bytea not null
);
create index set_aside_payloads_by_edge on set_aside_payloads (edge_id, at desc);
create index set_aside_payloads_org on set_aside_payloads (org_id);
select andon_protect('set_aside_payloads');

revoke all on set_aside_payloads from andon_app;
create trigger fenced before insert or update on set_aside_payloads for each statement execute function andon_check_fence();
