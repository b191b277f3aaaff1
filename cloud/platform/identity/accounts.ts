import type { LocalizedText } from '#shared/contracts/text.ts'
import { asJson, type Tx } from '../database/database.ts'
import { DomainError } from '../errors.ts'
import { newId } from '../id.ts'
import { hashPassword } from './password.ts'
import { hashToken, newToken } from './secret-token.ts'

export interface NewAccount {
  readonly org: string
  /** The directory's person; one account each. */
  readonly personId: string
  readonly userName: string
  readonly name: string
  readonly roles: readonly string[]
  /** Absent: nobody can sign in before a password is set. */
  readonly password?: string | undefined
  readonly at: Date
}

/** Finds the organisation by its key or makes it; runs as andon_system. Returns its id. */
export async function ensureOrganisation(tx: Tx, key: string, name: LocalizedText, at: Date): Promise<string> {
  await tx
    .insertInto('organisations')
    .values({ id: newId(), key, name: asJson(name), created_at: at })
    .onConflict((c) => c.column('key').doNothing())
    .execute()
  const { id } = await tx.selectFrom('organisations').select('id').where('key', '=', key).executeTakeFirstOrThrow()
  return id
}

/** Makes an account. Throws DomainError `conflict` when the user name is taken anywhere in the installation. */
export async function createAccount(tx: Tx, account: NewAccount): Promise<string> {
  const id = newId()
  const made = await tx
    .insertInto('accounts')
    .values({
      id,
      org_id: account.org,
      person_id: account.personId,
      user_name: account.userName.toLowerCase(),
      display_name: account.name,
      roles: [...account.roles],
      password_hash: account.password === undefined ? null : await hashPassword(account.password),
      locked_until: null,
      disabled_at: null,
      created_at: account.at,
    })
    .onConflict((c) => c.column('user_name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made) return id
  throw new DomainError('conflict', 'account.user-name-taken', `The user name ${account.userName} is taken`)
}

/** Sets a password, lifts a lock and ends every session of the account. */
export async function setPassword(tx: Tx, accountId: string, password: string): Promise<void> {
  const password_hash = await hashPassword(password)
  await tx
    .updateTable('accounts')
    .set({ password_hash, failed_sign_ins: 0, locked_until: null })
    .where('id', '=', accountId)
    .execute()
  await tx.deleteFrom('sessions').where('account_id', '=', accountId).execute()
}

const LINK_HOURS = 24

/** Makes a one-time link's secret with which the account's password can be set, for 24 hours. */
export async function createPasswordLink(tx: Tx, org: string, accountId: string, at: Date): Promise<string> {
  const token = newToken()
  await tx
    .withTables<{ password_links: PasswordLinksTable }>()
    .insertInto('password_links')
    .values({
      id: newId(),
      org_id: org,
      account_id: accountId,
      token_hash: hashToken(token),
      expires_at: new Date(at.getTime() + LINK_HOURS * 3_600_000),
      used_at: null,
    })
    .execute()
  return token
}

export interface PasswordLinksTable {
  id: string
  org_id: string
  account_id: string
  token_hash: Buffer
  expires_at: Date
  used_at: Date | null
}
