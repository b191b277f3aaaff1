import type { Kysely } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef } from '../contract.ts'

export interface RevocationOptions {
  readonly db: Kysely<unknown>
  readonly listen: (channel: string, hear: () => void) => Promise<() => Promise<void>>
  /** Called for each edge of which a certificate was taken back meanwhile. */
  readonly onRevoked: (edge: EdgeRef) => void
  readonly log: Log
}

/** Certificates that are good no more, in memory: the handshake asks. */
export interface Revocations {
  isRevoked(serial: string): boolean
  close(): Promise<void>
}

interface Row {
  readonly serial: string
  readonly group: string
  readonly edge: string
}

type Tables = {
  edge_certificates: { serial: string; edge_id: string; revoked_at: Date | null }
  edges: { id: string; group_id: string; edge: string }
}

/** A reading that failed is tried again after this time; until then what was known holds. */
const AGAIN_MS = 1_000

/** Reads what was taken back, and again whenever the table says so. @throws when it cannot be read at the start: nobody is let in unjudged. */
export async function watchRevocations({ db, listen, onRevoked, log }: RevocationOptions): Promise<Revocations> {
  const known = new Set<string>()
  let retry: NodeJS.Timeout | undefined
  let reading = Promise.resolve()
  const take = async () => {
    for (const row of await readRevoked(db)) {
      if (known.has(row.serial)) continue
      known.add(row.serial)
      onRevoked(row)
    }
  }
  const again = () => {
    clearTimeout(retry)
    reading = reading.then(take).catch((err) => {
      log.error({ err }, 'Revoked certificates cannot be read; what was known holds, and it is tried again')
      retry = setTimeout(again, AGAIN_MS)
      retry.unref()
    })
  }
  await take()
  const end = await listen('andon_edge_certificates', again)
  return {
    isRevoked: (serial) => known.has(serial),
    async close() {
      await end()
      clearTimeout(retry)
      await reading
      clearTimeout(retry)
    },
  }
}

async function readRevoked(db: Kysely<unknown>): Promise<Row[]> {
  return await (db as unknown as Kysely<Tables>)
    .selectFrom('edge_certificates as c')
    .innerJoin('edges as e', 'e.id', 'c.edge_id')
    .select(['c.serial', 'e.group_id as group', 'e.edge'])
    .where('c.revoked_at', 'is not', null)
    .execute()
}
