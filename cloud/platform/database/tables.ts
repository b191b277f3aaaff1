import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import type { LocalizedText } from '#shared/contracts/text.ts'

/** What a jsonb column may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }
export type JsonObject = { readonly [key: string]: Json | undefined }

/** A jsonb column: read parsed, written through `asJson` (the driver would take a bare array for a PostgreSQL array). */
export type JsonColumn<T> = ColumnType<T, T, T>
/** int8: the driver hands it out as text, so that no digit is lost. */
export type Int8 = ColumnType<string, string | number | bigint, string | number | bigint>

export type ActorKind = 'person' | 'token' | 'system'

export interface OrganisationsTable {
  id: string
  key: string
  name: JsonColumn<LocalizedText>
  created_at: Date
}

export interface AccountsTable {
  id: string
  org_id: string
  /** The person who signs in; the directory's row has the same id. */
  person_id: string
  /** Lower case; unique in the installation. */
  user_name: string
  display_name: string
  roles: string[]
  password_hash: string | null
  failed_sign_ins: Generated<number>
  locked_until: Date | null
  disabled_at: Date | null
  created_at: Date
}

export interface SessionsTable {
  id: string
  org_id: string
  account_id: string
  token_hash: Buffer
  created_at: Date
  expires_at: Date
  seen_at: Date
  user_agent: string | null
  address: string | null
}

export interface ApiTokensTable {
  id: string
  org_id: string
  account_id: string
  name: string
  token_hash: Buffer
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}

export interface RecordsTable {
  id: string
  org_id: string
  type: string
  number: string | null
  title: JsonColumn<LocalizedText>
  state: string
  owner_id: string | null
  department_id: string | null
  level: Generated<string>
  region: string | null
  revision: Generated<number>
  cause_id: string | null
  data: JsonColumn<JsonObject>
  created_at: Date
  updated_at: Date
}

export interface RecordNumbersTable {
  org_id: string
  series: string
  year: number
  last: number
}

export interface ActivityTable {
  id: string
  org_id: string
  record_id: string
  at: Date
  actor_kind: ActorKind
  actor_id: string | null
  type: string
  cause_id: string | null
  data: JsonColumn<JsonObject>
}

export interface OutboxTable {
  position: GeneratedAlways<string>
  id: string
  org_id: string
  type: string
  topics: string[]
  record_id: string | null
  cause_id: string | null
  at: Date
  data: JsonColumn<JsonObject>
}

export interface StreamEventsTable {
  seq: Int8
  id: string
  org_id: string
  type: string
  topics: string[]
  record_id: string | null
  cause_id: string | null
  at: Date
  data: JsonColumn<JsonObject>
}

export interface ConsumersTable {
  name: string
  last_seq: Int8
}

export interface ParkedEventsTable {
  consumer: string
  seq: Int8
  org_id: string
  attempts: number
  error: string
  parked_at: Date
}

export interface IdempotencyKeysTable {
  org_id: string
  actor_id: string
  key: string
  command: string
  input_hash: Buffer
  answer: JsonColumn<Json>
  at: Date
}

export interface InboxItemsTable {
  id: string
  org_id: string
  person_id: string
  record_id: string
  kind: string
  is_urgent: boolean
  title: JsonColumn<LocalizedText>
  detail: JsonColumn<LocalizedText | null>
  severity: string | null
  priority: string | null
  href: string
  page_id: string | null
  cause_id: string | null
  created_at: Date
  due_at: Date | null
  done_at: Date | null
  done_by: string | null
}

export interface AuditTable {
  id: GeneratedAlways<string>
  org_id: string
  at: Date
  actor_kind: ActorKind
  actor_id: string | null
  actor_name: string
  command: string
  outcome: 'done' | 'refused'
  /** The policy rule that let it pass, or the refusal's code. */
  rule: string
  record_id: string | null
  reason: string | null
  address: string | null
  user_agent: string | null
  input: JsonColumn<Json>
  previous_hash: Buffer | null
  hash: Buffer | null
}

/** The tables of `0001-platform.sql`. A module adds its own with `tx.withTables<OwnTables>()`. */
export interface PlatformTables {
  organisations: OrganisationsTable
  accounts: AccountsTable
  sessions: SessionsTable
  api_tokens: ApiTokensTable
  records: RecordsTable
  record_numbers: RecordNumbersTable
  activity: ActivityTable
  outbox: OutboxTable
  stream_events: StreamEventsTable
  consumers: ConsumersTable
  parked_events: ParkedEventsTable
  idempotency_keys: IdempotencyKeysTable
  inbox_items: InboxItemsTable
  audit: AuditTable
}
