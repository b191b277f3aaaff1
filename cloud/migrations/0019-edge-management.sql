-- One-time codes by which boxes get their first certificate. Only the hash of a code is kept.
create table edge_enrolment_codes (
  id uuid primary key,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges,
  code_hash bytea not null unique,
  made_by text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
select andon_protect('edge_enrolment_codes');

-- Every certificate that an edge was ever given. The broker refuses those with revoked_at.
create table edge_certificates (
  serial text primary key,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges,
  fingerprint text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by text,
  reason text
);
create index edge_certificates_edge on edge_certificates (edge_id, issued_at desc);
create index edge_certificates_revoked on edge_certificates (serial) where revoked_at is not null;
select andon_protect('edge_certificates');

-- Requests of boxes whose certificate expired, until a person confirms; the same request again answers the same certificate.
create table edge_renewals (
  request_hash bytea primary key,
  id uuid not null unique,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges,
  serial text not null references edge_certificates,
  key_fingerprint text not null,
  asked_at timestamptz not null,
  address text,
  confirmed_at timestamptz,
  confirmed_by text,
  certificate text
);
create index edge_renewals_edge on edge_renewals (edge_id, asked_at desc);
select andon_protect('edge_renewals');

-- Configurations of edges: the text of edge.yaml, numbered from 1 for each edge, never changed.
create table edge_configurations (
  edge_id uuid not null references edges,
  version integer not null check (version > 0),
  org_id uuid not null references organisations,
  -- SHA-256 over the text, hexadecimal.
  hash text not null,
  document text not null,
  -- 'person', or 'edge': found at the box.
  source text not null check (source in ('person', 'edge')),
  made_by text not null,
  made_at timestamptz not null,
  reason text,
  primary key (edge_id, version)
);
create index edge_configurations_hash on edge_configurations (edge_id, hash);
select andon_protect('edge_configurations');

-- Each time a version was sent to its edge, and what became of it.
create table edge_configuration_pushes (
  id uuid primary key,
  org_id uuid not null references organisations,
  edge_id uuid not null references edges,
  version integer not null,
  -- Hash of what the edge had: a file that was changed at the box meanwhile is not overwritten.
  replaces text not null,
  signature text not null,
  pushed_by text not null,
  pushed_at timestamptz not null,
  reason text,
  status text check (status in ('done', 'refused', 'failed', 'sent', 'timed-out')),
  error text,
  settled_at timestamptz,
  foreign key (edge_id, version) references edge_configurations (edge_id, version)
);
create index edge_configuration_pushes_edge on edge_configuration_pushes (edge_id, pushed_at desc);
select andon_protect('edge_configuration_pushes');
