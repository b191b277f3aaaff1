import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Database } from '../database/database.ts'
import { DomainError } from '../errors.ts'
import type { HttpApp } from '../http/app.ts'
import { type PasswordLinksTable, setPassword } from './accounts.ts'
import { hashToken } from './secret-token.ts'

export interface PasswordLinkOptions {
  readonly db: Database
  /** ms since 1970 */
  readonly clock: () => number
}

interface LinkRow {
  readonly id: string
  readonly org_id: string
  readonly account_id: string
  readonly user_name: string
  readonly expires_at: Date
  readonly used_at: Date | null
}

const Token = Type.Object({ token: Type.String({ minLength: 20, maxLength: 100 }) })
const NewPassword = Type.Object(
  { password: Type.String({ minLength: 10, maxLength: 1000 }) },
  { additionalProperties: false },
)

/** One-time links that set a password: a page without scripts, and the same as an API. */
export function passwordLinkRoutes(app: HttpApp, options: PasswordLinkOptions): void {
  const access = 'public' as const
  app.get(
    '/password-links/:token',
    { config: { access }, schema: { params: Token, hide: true } },
    async (request, reply) => {
      const link = await openLink(options, request.params.token)
      return reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(page(form(link.user_name)))
    },
  )
  app.register(async (forms) => {
    forms.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    )
    const own = forms as unknown as HttpApp
    const schema = { params: Token, body: NewPassword, hide: true }
    own.post('/password-links/:token', { config: { access }, schema }, async (request, reply) => {
      const userName = await useLink(options, request.params.token, request.body.password)
      return reply.type('text/html; charset=utf-8').send(page(done(userName)))
    })
  })
}

async function openLink({ db, clock }: PasswordLinkOptions, token: string): Promise<LinkRow> {
  const { rows } = await sql<LinkRow>`select * from andon_password_link(${hashToken(token)})`.execute(db.app)
  const link = rows[0]
  if (link && !link.used_at && link.expires_at.getTime() > clock()) return link
  throw new DomainError('not-found', 'password-link.over', 'This link was used or is too old: ask for a new one')
}

async function useLink(options: PasswordLinkOptions, token: string, password: string): Promise<string> {
  const link = await openLink(options, token)
  await options.db.inOrg(link.org_id, async (tx) => {
    const used = await tx
      .withTables<{ password_links: PasswordLinksTable }>()
      .updateTable('password_links')
      .set({ used_at: new Date(options.clock()) })
      .where('id', '=', link.id)
      .where('used_at', 'is', null)
      .returning('id')
      .executeTakeFirst()
    if (!used) throw new DomainError('conflict', 'password-link.over', 'This link was used a moment ago')
    await setPassword(tx, link.account_id, password)
  })
  return link.user_name
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const page = (body: string) => `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Andon</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit;width:100%;padding:.5rem;margin:.5rem 0;box-sizing:border-box}</style>
${body}</html>`

const form = (userName: string) => `<h1>设置密码 · Set a password</h1><form method="post">
<label>用户名 · User name<input value="${escaped(userName)}" autocomplete="username" readonly></label>
<label>新密码（至少 10 个字符）· New password (at least 10 characters)
<input name="password" type="password" autocomplete="new-password" minlength="10" maxlength="1000" required autofocus></label>
<button>保存 · Save</button></form>`

const done = (userName: string) =>
  `<h1>密码已设置 · The password is set</h1><p>${escaped(userName)}</p><p><a href="/">登录 · Sign in</a></p>`
