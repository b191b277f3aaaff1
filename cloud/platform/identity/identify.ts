import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Database, Tx } from '../database/database.ts'
import type { Actor } from '../door/actor.ts'
import type { Identity, Sessions } from './sessions.ts'

/** The relation sets of a person, asked of every module that has some. */
export type ReadRelations = (tx: Tx, personId: string) => Promise<Readonly<Record<string, Iterable<string>>>>

export interface IdentifyOptions {
  readonly db: Database
  readonly sessions: Sessions
  readonly relations: readonly ReadRelations[]
  /** Name of the session cookie; it ends in the port, so that two installations on one host do not sign each other out. */
  readonly cookieName: () => string
}

/** A credential that was found good, and who stands behind it. */
export interface Known {
  readonly identity: Identity
  readonly actor: Actor
}

/** Finds who sends a request, by Bearer token or session cookie; undefined for nobody. Reads rights anew every time. */
export function createIdentify(options: IdentifyOptions): (request: IncomingMessage) => Promise<Known | undefined> {
  const { sessions, cookieName } = options
  return async (request) => {
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const cookie = cookieOf(request.headers, cookieName())
    const identity = bearer
      ? await sessions.byApiToken(bearer)
      : cookie
        ? await sessions.bySessionToken(cookie)
        : undefined
    if (!identity) return undefined
    return { identity, actor: await actorOf(options, identity, request) }
  }
}

/** Reads one cookie of the header. */
export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=')
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

async function actorOf(options: IdentifyOptions, identity: Identity, request: IncomingMessage): Promise<Actor> {
  const { kind, org, personId, name, roles } = identity
  return {
    kind: kind === 'session' ? 'person' : 'token',
    id: personId,
    org,
    name,
    roles,
    relations: await relationsOf(options, org, personId),
    origin: {
      address: request.socket.remoteAddress ?? null,
      userAgent: request.headers['user-agent']?.slice(0, 300) ?? null,
    },
  }
}

async function relationsOf(
  { db, relations }: IdentifyOptions,
  org: string,
  personId: string,
): Promise<Actor['relations']> {
  if (relations.length === 0) return {}
  return db.inOrg(org, async (tx) => {
    const sets: Record<string, ReadonlySet<string>> = {}
    for (const read of relations) {
      for (const [name, ids] of Object.entries(await read(tx, personId))) sets[name] = new Set(ids)
    }
    return sets
  })
}
