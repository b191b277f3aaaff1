import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ScalarType } from '#shared/contracts/sample.ts'
import { nextBdSeq } from '#shared/sparkplug/session.ts'
import type { JournaledTag } from './journal.ts'

/** Version of the files in a journal's directory. Version 1 had a row for each record; its segments are read as they are. */
const VERSION = 2
const READABLE = new Set(['1', '2'])

/** What a journal keeps beside its samples: its name, its tags, the acknowledgement, how the last run ended. */
export interface Registry {
  readonly epoch: bigint
  /** True when the last run closed the journal, or there was none. */
  readonly wasClosed: boolean
  /** Offset up to which all was acknowledged when it was last written. */
  readonly acknowledged: bigint
  tagId(device: string | undefined, tag: string, type: ScalarType): number
  tag(id: number): JournaledTag | undefined
  /** Puts newly registered tags on disk; cheap when there are none. Called before each commit of samples. */
  flushTags(): void
  saveAcknowledged(offset: bigint): void
  nextBdSeq(): number
  /** Closes the file and marks the run as closed. */
  close(): void
}

/**
 * Opens `journal.db` in a journal's directory, or makes it.
 * @throws Error when another process has it open, or its version is not this program's.
 */
export function openRegistry(directory: string): Registry {
  const db = openExclusive(join(directory, 'journal.db'))
  const meta = metaOf(db)
  const version = meta.get('version')
  if (version !== undefined && !READABLE.has(version)) {
    db.close()
    throw new Error(otherVersion(directory, version))
  }
  const wasClosed = meta.get('state') !== 'open'
  const epoch = meta.get('epoch') ?? String(newEpoch())
  meta.set({ version: String(VERSION), epoch, state: 'open' })
  const tags = tagTable(db)
  return {
    epoch: BigInt(epoch),
    wasClosed,
    acknowledged: BigInt(meta.get('acknowledged') ?? '0'),
    ...tags,
    saveAcknowledged: (offset) => meta.set({ acknowledged: String(offset) }),
    nextBdSeq: () => {
      const bdSeq = nextBdSeq(Number(meta.get('bdSeq') ?? '255'))
      meta.set({ bdSeq: String(bdSeq) })
      return bdSeq
    },
    close: () => {
      tags.flushTags()
      meta.set({ state: 'closed' })
      db.close()
    },
  }
}

function otherVersion(directory: string, version: string): string {
  const wrote = Number(version) > VERSION ? 'a newer' : 'an older'
  return (
    `The journal in ${directory} is of version ${version}, this program reads version ${VERSION}. ` +
    `Start ${wrote} Andon, which wrote it, until its page shows 0 samples waiting for the cloud; or name another 'data' in edge.yaml: ` +
    'values that the cloud has not acknowledged stay in the old directory and do not reach it.'
  )
}

/** Never 0, so that an epoch of 0 on the wire is a fault. */
function newEpoch(): bigint {
  const epoch = randomBytes(8).readBigUInt64LE()
  return epoch === 0n ? 1n : epoch
}

function openExclusive(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    db.exec(`
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS tags (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, tag TEXT NOT NULL, type TEXT NOT NULL,
        UNIQUE (device, tag, type)
      ) STRICT;
    `)
    return db
  } catch (error) {
    db.close()
    throw new Error(`Cannot open the journal at ${path}; does another edge agent use it?`, { cause: error })
  }
}

function metaOf(db: DatabaseSync) {
  const select = db.prepare('SELECT value FROM meta WHERE key = ?')
  const upsert = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  return {
    get: (key: string): string | undefined => (select.get(key) as { value: string } | undefined)?.value,
    set: (values: Readonly<Record<string, string>>): void =>
      transaction(db, () => {
        for (const [key, value] of Object.entries(values)) upsert.run(key, value)
      }),
  }
}

function tagTable(db: DatabaseSync) {
  const insert = db.prepare('INSERT INTO tags VALUES (?, ?, ?, ?)')
  /** Numbers have no holes. */
  const byId: JournaledTag[] = []
  const ids = tagIds()
  const put = (tag: JournaledTag) => {
    byId[tag.id] = tag
    ids.set(tag)
  }
  for (const tag of readTags(db)) put(tag)
  let fresh: JournaledTag[] = []
  let nextId = Math.max(1, byId.length)
  return {
    tag: (id: number) => byId[id],
    tagId: (device: string | undefined, tag: string, type: ScalarType): number => {
      const known = ids.get(device, tag, type)
      if (known !== undefined) return known
      const registered = { id: nextId++, device, tag, type }
      put(registered)
      fresh.push(registered)
      return registered.id
    },
    flushTags: (): void => {
      if (fresh.length === 0) return
      transaction(db, () => {
        for (const { id, device, tag, type } of fresh) insert.run(id, device ?? '', tag, type)
      })
      fresh = []
    },
  }
}

/** The tags on disk. Devices of one profile have tags of one name: each text is kept once. */
function* readTags(db: DatabaseSync): Generator<JournaledTag> {
  const texts = new Map<string, string>()
  const once = (text: string): string => {
    const known = texts.get(text)
    if (known === undefined) texts.set(text, text)
    return known ?? text
  }
  for (const row of db.prepare('SELECT * FROM tags').iterate()) {
    const { id, device, tag, type } = row as { id: number; device: string; tag: string; type: ScalarType }
    yield {
      ...{ id, device: device === '' ? undefined : once(device) },
      ...{ tag: once(tag), type: once(type) as ScalarType },
    }
  }
}

/** Numbers by device, type and tag: maps in maps, because a text for each of a hundred thousand tags costs 10 MB. */
function tagIds() {
  const devices = new Map<string | undefined, Map<ScalarType, Map<string, number>>>()
  return {
    get: (device: string | undefined, tag: string, type: ScalarType) => devices.get(device)?.get(type)?.get(tag),
    set: ({ id, device, tag, type }: JournaledTag): void => {
      const types = devices.get(device) ?? new Map<ScalarType, Map<string, number>>()
      devices.set(device, types)
      const tags = types.get(type) ?? new Map<string, number>()
      types.set(type, tags.set(tag, id))
    },
  }
}

/** Runs statements in one transaction; on an error nothing of it stays. */
export function transaction(db: DatabaseSync, run: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    run()
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
