-- State, number, title and revision stand in `records`.
create table work_orders (
  id uuid primary key references records,
  org_id uuid not null references organisations,
  kind text not null check (kind in ('corrective', 'preventive', 'inspection')),
  priority text not null,
  asset_id uuid not null references assets,
  incident_id uuid references incidents,
  assignee_id uuid references people,
  -- Names the automatic dispatch that made it, so that it is made once.
  dispatch_key text,
  hold_reason text,
  due_at timestamptz,
  accepted_at timestamptz,
  arrived_at timestamptz,
  started_at timestamptz,
  done_at timestamptz,
  verified_at timestamptz,
  closed_at timestamptz,
  failure jsonb,
  unique (org_id, dispatch_key)
);
create index work_orders_assignee on work_orders (assignee_id);
create index work_orders_incident on work_orders (incident_id);
create index work_orders_asset on work_orders (asset_id);
select andon_protect('work_orders');

create table work_order_tasks (
  id uuid primary key,
  org_id uuid not null references organisations,
  work_order_id uuid not null references work_orders,
  position integer not null,
  text jsonb not null,
  kind text not null check (kind in ('check', 'number', 'text')),
  unit text,
  minimum double precision,
  maximum double precision,
  result jsonb,
  done_by uuid references people,
  done_at timestamptz,
  unique (work_order_id, position)
);
select andon_protect('work_order_tasks');

-- Stretches of work. At most one runs in an order.
create table work_order_labour (
  id uuid primary key,
  org_id uuid not null references organisations,
  work_order_id uuid not null references work_orders,
  person_id uuid references people,
  from_at timestamptz not null,
  to_at timestamptz
);
create unique index work_order_labour_running on work_order_labour (work_order_id) where to_at is null;
create index work_order_labour_order on work_order_labour (work_order_id);
select andon_protect('work_order_labour');
