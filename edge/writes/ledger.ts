import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { CommandOutcome } from '../uplink/uplink.ts'

/** Commands kept; the oldest goes first. About 30 MB. */
const KEPT = 50_000

/** One command with what became of it: the audit record that stays on the box. */
export interface WriteRecord {
  readonly id: string
  readonly device: string
  /** ms since 1970 */
  readonly askedAt: number
  readonly writes: readonly RecordedWrite[]
  /** Absent while it is under way. */
  readonly outcome?: CommandOutcome
  readonly settledAt?: number
}

/** A value with its tag, and what stood there before and after. Integers beyond 2^53 as decimal text. */
export interface RecordedWrite {
  readonly tag: string
  readonly value: string | number | boolean | null
  readonly expected?: string | number | boolean | null
  readonly before?: string | number | boolean | null
  readonly after?: string | number | boolean | null
}

/** Every command of this box on disk, by its id. */
export interface WriteLedger {
  /** What is known of an id; undefined when it never came. */
  find(id: string): WriteRecord | undefined
  /** On disk when it returns; nothing may reach a device before. Throws when the disk does not take it. */
  begin(record: Pick<WriteRecord, 'id' | 'device' | 'askedAt' | 'writes'>): void
  settle(id: string, result: { outcome: CommandOutcome; settledAt: number; writes: readonly RecordedWrite[] }): void
  /** The newest first. */
  recent(most: number): readonly WriteRecord[]
  close(): void
}

const INTERRUPTED: CommandOutcome = {
  status: 'failed',
  error:
    'The edge was stopped while this was under way; it may have been carried out or not. Look at the value before it is sent again.',
}

/** Opens the ledger and settles what an earlier run left under way. */
export function openLedger(dataDir: string, now: number): WriteLedger {
  const folder = join(dataDir, 'writes')
  mkdirSync(folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'commands.db'))
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec(`CREATE TABLE IF NOT EXISTS commands (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, device TEXT NOT NULL, asked_at INTEGER NOT NULL,
    writes TEXT NOT NULL, status TEXT, error TEXT, settled_at INTEGER)`)
  const { status, error } = INTERRUPTED
  db.prepare('UPDATE commands SET status = ?, error = ?, settled_at = ? WHERE status IS NULL').run(
    status,
    error ?? null,
    now,
  )
  return ledgerOf(db)
}

function ledgerOf(db: DatabaseSync): WriteLedger {
  const one = db.prepare('SELECT * FROM commands WHERE id = ?')
  const newest = db.prepare('SELECT * FROM commands ORDER BY number DESC LIMIT ?')
  const insert = db.prepare('INSERT INTO commands (id, device, asked_at, writes) VALUES (?, ?, ?, ?)')
  const update = db.prepare('UPDATE commands SET status = ?, error = ?, settled_at = ?, writes = ? WHERE id = ?')
  const prune = db.prepare('DELETE FROM commands WHERE number <= (SELECT max(number) FROM commands) - ?')
  return {
    find(id) {
      const row = one.get(id)
      return row && recordOf(row as unknown as Row)
    },
    begin({ id, device, askedAt, writes }) {
      insert.run(id, device, askedAt, JSON.stringify(writes))
      prune.run(KEPT)
    },
    settle(id, { outcome, settledAt, writes }) {
      update.run(outcome.status, outcome.error ?? null, settledAt, JSON.stringify(writes), id)
    },
    recent: (most) => newest.all(most).map((row) => recordOf(row as unknown as Row)),
    close: () => db.close(),
  }
}

interface Row {
  readonly id: string
  readonly device: string
  readonly asked_at: number
  readonly writes: string
  readonly status: CommandOutcome['status'] | null
  readonly error: string | null
  readonly settled_at: number | null
}

function recordOf({ id, device, asked_at, writes, status, error, settled_at }: Row): WriteRecord {
  return {
    id,
    device,
    askedAt: asked_at,
    writes: JSON.parse(writes) as RecordedWrite[],
    ...(status === null ? {} : { outcome: { status, ...(error === null ? {} : { error }) } }),
    ...(settled_at === null ? {} : { settledAt: settled_at }),
  }
}

/** A value as it is recorded: every digit of a 64-bit integer. */
export const recorded = (value: Scalar): string | number | boolean | null =>
  typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)) : value
