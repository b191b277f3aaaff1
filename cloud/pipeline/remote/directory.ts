import { type Kysely, sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef } from '../contract.ts'
import { livingMembers } from '../lease/members.ts'
import type { SocketAddress } from './socket.ts'

const EVERY_MS = 5000
/** Edges that move together are told one by one; they are looked at once. */
const GATHER_MS = 20

/** A registered edge and whose it is. */
export interface DirectoryEdge extends EdgeRef {
  readonly id: string
  readonly org: string
  /** Fence of its owner; null while nobody has it. */
  readonly owner: string | null
}

/** Which processes are the machine side just now, and which edges each of them has. */
export interface Directory {
  /** Where each member is asked, by its fence. */
  members(): ReadonlyMap<string, SocketAddress>
  edges(): Iterable<DirectoryEdge>
  find(edge: EdgeRef): DirectoryEdge | undefined
  organisationOf(group: string): string | undefined
  /** Looks at the tables; resolves when what it shows is newer than the call. */
  refresh(): Promise<void>
  onChange(hear: () => void): void
  close(): Promise<void>
}

export interface DirectoryOptions {
  readonly db: Kysely<never>
  readonly listen: (channel: string, hear: () => void) => Promise<() => Promise<void>>
  readonly log: Log
  /** Time between two looks when nothing is heard; 5 s unless told. */
  readonly everyMs?: number
}

/** Opens the directory: NOTIFY is the hint, a look at the tables the truth. */
export async function openDirectory({ db, listen, log, everyMs = EVERY_MS }: DirectoryOptions): Promise<Directory> {
  const listeners: (() => void)[] = []
  let found = await readAll(db)
  let next: Promise<void> | undefined
  let isClosed = false
  const look = async () => {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    next = undefined
    if (isClosed) return
    found = await readAll(db)
    for (const hear of listeners) hear()
  }
  const refresh = () => {
    next ??= look()
    return next
  }
  const glance = () =>
    void refresh().catch((err: unknown) =>
      log.debug({ err }, 'The members of the machine side cannot be read; tried again'),
    )
  const timer = setInterval(glance, everyMs).unref()
  const end = await listen('andon_shards', glance)
  return {
    members: () => found.members,
    edges: () => found.edges.values(),
    find: ({ group, edge }) => found.edges.get(`${group}/${edge}`),
    organisationOf: (group) => found.groups.get(group),
    refresh,
    onChange: (hear) => void listeners.push(hear),
    async close() {
      isClosed = true
      clearInterval(timer)
      await end()
    },
  }
}

async function readAll(db: Kysely<never>) {
  const members = new Map((await livingMembers(db)).map(({ fence, address }) => [fence, address]))
  const { rows } = await sql<DirectoryEdge>`
    select id, org_id as org, group_id as "group", edge, owner_fence as owner from edges`.execute(db)
  return {
    members,
    edges: new Map(rows.map((row) => [`${row.group}/${row.edge}`, row])),
    groups: new Map(rows.map(({ group, org }) => [group, org])),
  }
}
