import type { Database } from '../database/database.ts'
import { newId } from '../id.ts'
import { createAccount, createPasswordLink, ensureOrganisation } from './accounts.ts'

/**
 * In an installation without usable accounts, makes the account `admin` (and an organisation, when there is none) and a fresh
 * one-time link's secret that sets its password; earlier unused links end. Undefined once somebody can sign in.
 */
export async function firstAdministrator({ system, asSystem }: Database, now: number): Promise<string | undefined> {
  const usable = await system
    .selectFrom('accounts')
    .select('id')
    .where('password_hash', 'is not', null)
    .limit(1)
    .execute()
  if (usable.length > 0) return undefined
  const at = new Date(now)
  return asSystem(async (tx) => {
    const known = await tx.selectFrom('organisations').select('id').orderBy('created_at').executeTakeFirst()
    const org = known?.id ?? (await ensureOrganisation(tx, 'main', { en: 'My plant', 'zh-CN': '我的工厂' }, at))
    const admin = await tx.selectFrom('accounts').select('id').where('user_name', '=', 'admin').executeTakeFirst()
    const account = { org, personId: newId(), userName: 'admin', name: 'Administrator', roles: ['administrator'], at }
    const id = admin?.id ?? (await createAccount(tx, account))
    await tx
      .withTables<{ password_links: { account_id: string } }>()
      .deleteFrom('password_links')
      .where('account_id', '=', id)
      .execute()
    return createPasswordLink(tx, org, id, at)
  })
}
