import { sql } from 'kysely'
import type { Database, Tx } from '../database/database.ts'
import type { Origin } from '../door/actor.ts'
import { DomainError } from '../errors.ts'
import { newId } from '../id.ts'
import { isPassword } from './password.ts'
import { hashToken, newToken } from './secret-token.ts'

/** Who a credential belongs to. */
export interface Identity {
  readonly kind: 'session' | 'token'
  /** Of the session or the API token. */
  readonly id: string
  readonly org: string
  readonly accountId: string
  readonly personId: string
  readonly name: string
  readonly roles: readonly string[]
  readonly expiresAt: Date | null
}

export interface SessionOptions {
  readonly db: Database
  /** ms since 1970 */
  readonly clock: () => number
}

/** Sign-in, sign-out and the look-up of credentials. */
export interface Sessions {
  /** Throws DomainError `unauthenticated`, the same for every reason, or `too-many` while locked. */
  signIn(userName: string, password: string, origin: Origin): Promise<SignedIn>
  bySessionToken(token: string): Promise<Identity | undefined>
  byApiToken(token: string): Promise<Identity | undefined>
  end(identity: Identity): Promise<void>
}

export interface SignedIn {
  readonly token: string
  readonly identity: Identity
  readonly expiresAt: Date
}

const DAY_MS = 86_400_000
/** A session ends this long after its last use. */
const LIFETIME_MS = 7 * DAY_MS
/** How often the last use is written down. */
const SEEN_EVERY_MS = 5 * 60_000
const FREE_FAILURES = 5
const FIRST_LOCK_MS = 30_000
const LONGEST_LOCK_MS = 15 * 60_000

/** Makes the sessions of the installation. */
export function createSessions({ db, clock }: SessionOptions): Sessions {
  return {
    async signIn(userName, password, origin) {
      const account = await accountOf(db, userName)
      const now = clock()
      if (account?.locked_until && account.locked_until.getTime() > now) throw locked(account.locked_until, now)
      const isRight = await isPassword(password, account?.disabled_at ? null : (account?.password_hash ?? null))
      if (!account) throw wrong()
      if (!isRight) {
        await db.inOrg(account.org_id, (tx) => countFailure(tx, account.id, now))
        throw wrong()
      }
      return db.inOrg(account.org_id, (tx) => openSession(tx, { account, origin, now }))
    },
    bySessionToken: (token) => bySession(db, token, clock()),
    byApiToken: (token) => byApiToken(db, token, clock()),
    async end({ kind, id, org }) {
      if (kind === 'session') await db.inOrg(org, (tx) => tx.deleteFrom('sessions').where('id', '=', id).execute())
    },
  }
}

const wrong = () => new DomainError('unauthenticated', 'session.wrong-credentials', 'User name or password is wrong')

function locked(until: Date, now: number): DomainError {
  const seconds = Math.ceil((until.getTime() - now) / 1000)
  return new DomainError('too-many', 'session.locked', `Too many wrong passwords: try again in ${seconds} s`)
}

interface AccountRow {
  readonly id: string
  readonly org_id: string
  readonly password_hash: string | null
  readonly locked_until: Date | null
  readonly disabled_at: Date | null
}

async function accountOf(db: Database, userName: string): Promise<AccountRow | undefined> {
  const { rows } = await sql<AccountRow>`select * from andon_account_for_sign_in(${userName.toLowerCase()})`.execute(
    db.app,
  )
  return rows[0]
}

/** The first five are free; from then on each locks twice as long as the one before. */
async function countFailure(tx: Tx, id: string, now: number): Promise<void> {
  const { failed_sign_ins: failures } = await tx
    .updateTable('accounts')
    .set({ failed_sign_ins: sql`failed_sign_ins + 1` })
    .where('id', '=', id)
    .returning('failed_sign_ins')
    .executeTakeFirstOrThrow()
  if (failures < FREE_FAILURES) return
  const lockMs = Math.min(FIRST_LOCK_MS * 2 ** (failures - FREE_FAILURES), LONGEST_LOCK_MS)
  await tx
    .updateTable('accounts')
    .set({ locked_until: new Date(now + lockMs) })
    .where('id', '=', id)
    .execute()
}

interface Opening {
  readonly account: AccountRow
  readonly origin: Origin
  readonly now: number
}

async function openSession(tx: Tx, { account, origin, now }: Opening): Promise<SignedIn> {
  const token = newToken()
  const expiresAt = new Date(now + LIFETIME_MS)
  const row = await tx
    .updateTable('accounts')
    .set({ failed_sign_ins: 0, locked_until: null })
    .where('id', '=', account.id)
    .returning(['person_id', 'display_name', 'roles'])
    .executeTakeFirstOrThrow()
  const id = newId()
  await tx
    .insertInto('sessions')
    .values({
      id,
      org_id: account.org_id,
      account_id: account.id,
      token_hash: hashToken(token),
      created_at: new Date(now),
      seen_at: new Date(now),
      expires_at: expiresAt,
      user_agent: origin.userAgent?.slice(0, 300) ?? null,
      address: origin.address,
    })
    .execute()
  const { person_id: personId, display_name: name, roles } = row
  const identity = {
    kind: 'session',
    id,
    org: account.org_id,
    accountId: account.id,
    personId,
    name,
    roles,
    expiresAt,
  } as const
  return { token, identity, expiresAt }
}

interface CredentialRow {
  readonly session_id?: string
  readonly token_id?: string
  readonly org_id: string
  readonly account_id: string
  readonly person_id: string
  readonly display_name: string
  readonly roles: string[]
  readonly expires_at: Date | null
  readonly seen_at?: Date
}

async function bySession(db: Database, token: string, now: number): Promise<Identity | undefined> {
  const { rows } = await sql<CredentialRow>`select * from andon_session_by_token(${hashToken(token)})`.execute(db.app)
  const row = rows[0]
  if (!row || isOver(row, now)) return undefined
  const identity = identityOf(row, 'session')
  if (now - (row.seen_at?.getTime() ?? now) < SEEN_EVERY_MS) return identity
  const expires_at = new Date(now + LIFETIME_MS)
  await db.inOrg(row.org_id, (tx) =>
    tx
      .updateTable('sessions')
      .set({ seen_at: new Date(now), expires_at })
      .where('id', '=', identity.id)
      .execute(),
  )
  return { ...identity, expiresAt: expires_at }
}

async function byApiToken(db: Database, token: string, now: number): Promise<Identity | undefined> {
  const { rows } = await sql<CredentialRow>`select * from andon_account_by_api_token(${hashToken(token)})`.execute(
    db.app,
  )
  const row = rows[0]
  return row && !isOver(row, now) ? identityOf(row, 'token') : undefined
}

const isOver = ({ expires_at }: CredentialRow, now: number) => expires_at !== null && expires_at.getTime() <= now

function identityOf(row: CredentialRow, kind: Identity['kind']): Identity {
  return {
    kind,
    id: row.session_id ?? row.token_id ?? '',
    org: row.org_id,
    accountId: row.account_id,
    personId: row.person_id,
    name: row.display_name,
    roles: row.roles,
    expiresAt: row.expires_at,
  }
}
