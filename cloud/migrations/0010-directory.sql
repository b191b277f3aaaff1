-- People and departments. A person's row outlives the account.
create table departments (
  id uuid primary key,
  org_id uuid not null references organisations,
  key text not null,
  parent_id uuid references departments,
  name jsonb not null,
  position integer not null,
  unique (org_id, key)
);
select andon_protect('departments');

create table people (
  id uuid primary key,
  org_id uuid not null references organisations,
  key text not null,
  name text not null,
  title text,
  department_id uuid references departments,
  roles text[] not null,
  trades text[] not null,
  skills text[] not null,
  created_at timestamptz not null,
  unique (org_id, key)
);
create index people_department on people (department_id);
select andon_protect('people');
