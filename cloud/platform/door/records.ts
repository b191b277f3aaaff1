import type { Selectable } from 'kysely'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { JsonObject, RecordsTable } from '../database/tables.ts'

export type RecordRow = Selectable<RecordsTable>

export interface NewRecord {
  /** Unless told, a new UUIDv7. The noun's own table uses it as its primary key. */
  readonly id?: string
  readonly type: string
  /** `INC` gives `INC-2026-000123`, counted per organisation and year. Absent: no number. */
  readonly series?: string
  readonly title: LocalizedText
  readonly state: string
  readonly ownerId?: string | null
  readonly departmentId?: string | null
  readonly level?: string
  readonly region?: string | null
  readonly causeId?: string | undefined
  readonly data?: JsonObject
}

export interface RecordChange {
  readonly title?: LocalizedText
  readonly state?: string
  readonly ownerId?: string | null
  readonly departmentId?: string | null
  readonly data?: JsonObject
}

/** The `records` row of each noun, within the command's transaction and organisation. */
export interface Records {
  create(record: NewRecord): Promise<{ readonly id: string; readonly number: string | null; readonly revision: number }>
  /** Locks the row until commit. Throws DomainError `not-found`, coded by `type`. */
  lock(id: string, type?: string): Promise<RecordRow>
  /** Writes and counts the revision up. Throws DomainError `stale` when `ifRevision` is told and is not the present one. */
  update(id: string, change: RecordChange, ifRevision?: number): Promise<{ readonly revision: number }>
}
