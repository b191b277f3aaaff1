import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '#shared/log/log.ts'
import type { CloudConfig } from './config.ts'
import type { Tx } from './platform/database/database.ts'
import { joinDatabase } from './platform/database/start.ts'
import { newId } from './platform/id.ts'
import { createAccount, createPasswordLink } from './platform/identity/accounts.ts'
import { installationSecret } from './platform/secret.ts'

export interface NewUser {
  readonly userName: string
  readonly name: string
  readonly roles: readonly string[]
  /** Key of the organisation; the only one unless told. */
  readonly organisation?: string | undefined
}

/** Adds an account and returns the one-time link that sets its password. Throws when the name is taken. */
export function addUser(config: CloudConfig, user: NewUser): Promise<string> {
  return withAccounts(config, async (tx, at) => {
    const org = await organisationOf(tx, user.organisation)
    const account = { org, personId: newId(), userName: user.userName, name: user.name, roles: user.roles, at }
    return createPasswordLink(tx, org, await createAccount(tx, account), at)
  })
}

/** Returns a one-time link that sets a new password for the account; the present one holds until it is used. */
export function resetUser(config: CloudConfig, userName: string): Promise<string> {
  return withAccounts(config, async (tx, at) => {
    const account = await tx
      .selectFrom('accounts')
      .select(['id', 'org_id'])
      .where('user_name', '=', userName.toLowerCase())
      .executeTakeFirst()
    if (!account) throw new Error(`there is no account '${userName}'`)
    return createPasswordLink(tx, account.org_id, account.id, at)
  })
}

async function withAccounts(config: CloudConfig, work: (tx: Tx, at: Date) => Promise<string>): Promise<string> {
  const { dataDir } = config
  const secret = installationSecret(dataDir, config.secret)
  const database = await joinDatabase({ dataDir, secret, url: config.databaseUrl, log: silentLog })
  try {
    const token = await database.db.asSystem((tx) => work(tx, new Date()))
    return `${consoleUrl(config)}/password-links/${token}`
  } finally {
    await database.close()
  }
}

async function organisationOf(tx: Tx, key: string | undefined): Promise<string> {
  const known = await tx.selectFrom('organisations').select(['id', 'key']).orderBy('created_at').execute()
  const keys = known.map((row) => row.key).join(', ')
  if (key === undefined && known.length > 1) throw new Error(`say which organisation with --organisation: ${keys}`)
  const row = key === undefined ? known[0] : known.find((o) => o.key === key)
  if (!row)
    throw new Error(keys ? `there is no organisation '${key}'; known are ${keys}` : 'start the cloud once first')
  return row.id
}

/** Where the service answers, or answered last. */
function consoleUrl({ publicUrl, dataDir, httpPort }: CloudConfig): string {
  const file = join(dataDir, 'url')
  return publicUrl ?? (existsSync(file) ? readFileSync(file, 'utf8') : `http://localhost:${httpPort}`)
}
