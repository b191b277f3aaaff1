import { type Selectable, sql } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { DeviceRef } from './tree.ts'

interface AssetsTable {
  id: string
  org_id: string
  parent_id: string | null
  code: string
  name: JsonColumn<LocalizedText>
  kind: string
  asset_class: string | null
  criticality: string | null
  position: number
  owner_id: string | null
  device_group: string | null
  device_edge: string | null
  device_name: string | null
}

export type AssetRow = Selectable<AssetsTable>

/** All SQL of assets, in the caller's transaction. */
export function assetStore(tx: Tx) {
  const db = tx.withTables<{ assets: AssetsTable }>()
  return {
    all: () => db.selectFrom('assets').selectAll().orderBy('position').orderBy('code').execute(),
    byCode: (code: string) => db.selectFrom('assets').selectAll().where('code', '=', code).executeTakeFirst(),
    byDevice: (ref: DeviceRef) =>
      db
        .selectFrom('assets')
        .selectAll()
        .where('device_group', '=', ref.group)
        .where('device_edge', '=', ref.edge)
        .where('device_name', '=', ref.device)
        .executeTakeFirst(),
    /** Until commit nobody else makes an asset in this organisation, so that two births make one. */
    lockForCreation: (org: string) =>
      sql`select pg_advisory_xact_lock(hashtextextended(${`assets:${org}`}, 0))`.execute(tx),
    add: (row: AssetRow) =>
      db
        .insertInto('assets')
        .values({ ...row, name: asJson(row.name) })
        .execute(),
  }
}
