import type { Generated } from 'kysely'
import type { Int8, JsonColumn } from '#cloud/platform/database/tables.ts'
import type { Checkpoint } from './edge-shard.ts'

export interface EdgeGroupsTable {
  group_id: string
  org_id: string
}

export interface EdgesTable {
  id: string
  org_id: string
  group_id: string
  edge: string
  name: string
  secret_hash: string
  created_at: Date
  connected_at: Date | null
  disconnected_at: Date | null
  last_message_at: Date | null
  /** Of `0006-pipeline-lease.sql`: when its owner last had it for sure. */
  owned_until: Generated<Date | null>
}

export interface EdgeSessionsTable {
  edge_id: string
  org_id: string
  bd_seq: number | null
  epoch: string | null
  first_offset: string | null
  last_offset: string | null
  births: JsonColumn<Checkpoint['births']>
  is_online: boolean
  at: Date
}

export interface DevicesTable {
  id: string
  org_id: string
  edge_id: string
  device: string
  profile: string | null
  status: 'online' | 'offline'
  born_at: Date | null
  died_at: Date | null
}

export interface TagsTable {
  key: Generated<number>
  id: string
  org_id: string
  device_id: string
  path: string
  tag: string
  type: string
  unit: string | null
  created_at: Date
}

export interface GapsTable {
  id: string
  org_id: string
  group_id: string
  edge: string
  device: string | null
  epoch: Int8
  first_offset: Int8
  last_offset: Int8
  count: Int8
  cause: string
  first_at: Date | null
  last_at: Date | null
  recorded_at: Date
}

/** Of `0009-set-aside-payloads.sql`. */
export interface SetAsidePayloadsTable {
  id: string
  org_id: string
  edge_id: string
  at: Date
  message: string
  device: string | null
  error: string
  payload: Buffer
}

/** The tables of `0002-pipeline.sql`, and what later ones added. */
export type PipelineTables = {
  set_aside_payloads: SetAsidePayloadsTable
  edge_groups: EdgeGroupsTable
  edges: EdgesTable
  edge_sessions: EdgeSessionsTable
  devices: DevicesTable
  tags: TagsTable
  gaps: GapsTable
}
