import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Person } from '#shared/contracts/person.ts'
import { Session, SignIn } from '#shared/contracts/person.ts'
import type { Database, Tx } from '../database/database.ts'
import { DomainError, found } from '../errors.ts'
import type { HttpApp } from '../http/app.ts'
import type { Known } from './identify.ts'
import type { Identity, Sessions } from './sessions.ts'

export interface SessionRouteOptions {
  readonly db: Database
  readonly sessions: Sessions
  readonly identify: (request: IncomingMessage) => Promise<Known | undefined>
  readonly clock: () => number
  readonly cookieName: () => string
  /** The directory's view of a person; undefined: the account's own name is told. */
  readonly person: ((tx: Tx, personId: string) => Promise<Person | undefined>) | undefined
}

/** `POST /api/session` signs in, `GET` tells who is, `DELETE` signs out. */
export function sessionRoutes(app: HttpApp, options: SessionRouteOptions): void {
  const { sessions, identify, cookieName } = options
  app.post(
    '/api/session',
    { config: { access: 'public' }, schema: { summary: 'Sign in', body: SignIn, response: { 200: Session } } },
    async (request, reply) => {
      const { username, password } = request.body
      const origin = { address: request.ip, userAgent: request.headers['user-agent'] ?? null }
      const { token, identity, expiresAt } = await sessions.signIn(username, password, origin)
      setCookie(reply, { name: cookieName(), value: token, expires: expiresAt })
      return describe(options, identity)
    },
  )
  app.get(
    '/api/session',
    { config: { access: 'signed-in' }, schema: { summary: 'Who is signed in', response: { 200: Session } } },
    async (request) => {
      const known = await identify(request.raw)
      if (!known) throw new DomainError('unauthenticated', 'session.required', 'Sign in first')
      return describe(options, known.identity)
    },
  )
  app.delete(
    '/api/session',
    { config: { access: 'signed-in' }, schema: { summary: 'Sign out', response: { 204: Type.Null() } } },
    async (request, reply) => {
      const known = await identify(request.raw)
      if (known) await sessions.end(known.identity)
      setCookie(reply, { name: cookieName(), value: '', expires: new Date(0) })
      return reply.code(204).send(null)
    },
  )
}

interface SessionCookie {
  readonly name: string
  readonly value: string
  readonly expires: Date
}

function setCookie(reply: FastifyReply, { name, value, expires }: SessionCookie): void {
  const secure = reply.request.protocol === 'https'
  reply.setCookie(name, value, { httpOnly: true, sameSite: 'lax', secure, path: '/', expires })
}

async function describe(options: SessionRouteOptions, identity: Identity): Promise<Session> {
  const { db, clock } = options
  const now = new Date(clock())
  return db.inOrg(identity.org, async (tx) => {
    const organisation = await tx
      .selectFrom('organisations')
      .select(['id', 'name'])
      .where('id', '=', identity.org)
      .executeTakeFirst()
    const { count } = await tx
      .selectFrom('inbox_items')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('person_id', '=', identity.personId)
      .where('done_at', 'is', null)
      .executeTakeFirstOrThrow()
    return {
      person: (await options.person?.(tx, identity.personId)) ?? barePerson(identity),
      organisation: found(organisation, 'organisation', identity.org),
      now: now.toISOString(),
      expiresAt: (identity.expiresAt ?? now).toISOString(),
      unreadInbox: Number(count),
    }
  })
}

/** An account whose person the directory does not hold, as the first administrator's. */
function barePerson({ personId, name, roles }: Identity): Person {
  const known = { id: personId, name, userName: null, title: null, department: null, isOnDuty: false, trades: [] }
  return { ...known, roles: roles as Person['roles'] }
}
