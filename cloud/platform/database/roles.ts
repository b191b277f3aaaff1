import { createHmac } from 'node:crypto'
import type { Client } from 'pg'

/** The roles that the product works as; andon_owner has no login and is only stepped into to migrate. */
export const LOGIN_ROLES = ['andon_app', 'andon_system'] as const
export type LoginRole = (typeof LOGIN_ROLES)[number]

/** The password of a role follows from the installation's secret, so that no second secret has to be kept. */
export function rolePassword(secret: string, role: LoginRole): string {
  return createHmac('sha256', secret).update(`postgres:${role}`).digest('base64url')
}

/**
 * Makes the three roles (or renews their passwords) and the rights that no migration can give. `admin` is connected to the
 * product's database as a user that may create roles. Safe to repeat.
 */
export async function prepareRoles(admin: Client, secret: string): Promise<void> {
  await ensureRole(admin, 'andon_owner', 'nologin')
  for (const role of LOGIN_ROLES) {
    await ensureRole(admin, role, `login password '${rolePassword(secret, role)}'`)
  }
  await admin.query('grant andon_owner to current_user')
  await admin.query('grant andon_app to andon_system with inherit false, set true')
  const { rows } = await admin.query<{ name: string }>('select quote_ident(current_database()) as name')
  await admin.query(`grant create, connect, temporary on database ${rows[0]?.name} to andon_owner`)
  await admin.query(`grant connect on database ${rows[0]?.name} to andon_app, andon_system`)
  await admin.query('grant usage, create on schema public to andon_owner')
  await admin.query('grant usage on schema public to andon_app, andon_system')
  await prepareJobSchema(admin)
  await prepareDefaults(admin)
}

async function ensureRole(admin: Client, role: string, options: string): Promise<void> {
  const known = await admin.query('select 1 from pg_roles where rolname = $1', [role])
  if (known.rowCount === 0) await admin.query(`create role ${role} nosuperuser nobypassrls inherit ${options}`)
  else await admin.query(`alter role ${role} ${options}`)
}

/** pg-boss makes and migrates its own tables as andon_system. */
async function prepareJobSchema(admin: Client): Promise<void> {
  const known = await admin.query("select 1 from pg_namespace where nspname = 'pgboss'")
  if (known.rowCount !== 0) return
  await admin.query('grant andon_system to current_user')
  await admin.query('create schema pgboss authorization andon_system')
}

async function prepareDefaults(admin: Client): Promise<void> {
  const by = 'alter default privileges for role andon_owner in schema public'
  await admin.query(`${by} grant select, insert, update, delete on tables to andon_app, andon_system`)
  await admin.query(`${by} grant usage, select on sequences to andon_app, andon_system`)
}
