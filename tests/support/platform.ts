import { fileURLToPath } from 'node:url'
import { type App, startApp } from '#cloud/app.ts'
import { type Actor, systemActor } from '#cloud/platform/door/actor.ts'
import { newId } from '#cloud/platform/id.ts'
import { createAccount } from '#cloud/platform/identity/accounts.ts'
import type { EngineJob, JobEngine } from '#cloud/platform/jobs/engine.ts'
import type { Module, Platform } from '#cloud/platform/module.ts'
import { noValues, type ValueSource } from '#cloud/platform/realtime/values.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from './postgres.ts'

/** A clock that stands still until it is moved, or runs. */
export interface TestClock {
  now(): number
  advance(ms: number): void
}

export interface TestPerson {
  readonly id: string
  readonly accountId: string
  readonly userName: string
  readonly password: string
  /** As the door knows this person, without relations. */
  readonly actor: Actor
  /** The session cookie, for `app.http.inject({ headers: { cookie } })`. */
  cookie(): Promise<string>
}

/** The platform with modules on a real database: HTTP by `app.http.inject`, events relayed and handled, jobs run by hand. */
export interface TestPlatform {
  readonly app: App
  readonly database: TestDatabase
  readonly clock: TestClock
  readonly org: string
  /** Makes an account with these roles; `id` lets the directory's row have the same. */
  person(roles: readonly string[], options?: { readonly id?: string; readonly name?: string }): Promise<TestPerson>
  readonly system: Actor
  /** Resolves when everything committed so far was relayed and handled, and what that caused as well. */
  settled(): Promise<void>
  /** Moves the clock and runs the jobs that became due, until nothing more is due. */
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

export interface TestPlatformOptions {
  readonly modules?: (platform: Platform, org: string) => readonly Module[]
  readonly values?: ValueSource
  /** Root of the authority, for `/ca`. */
  readonly root?: string
  /** Where the clock begins; 2026-03-02 08:00 UTC unless told. */
  readonly startAt?: number
  /** For a browser: serves the built console, and the clock is that of the machine, which can be moved all the same. */
  readonly isForBrowser?: boolean
}

const CONSOLE = fileURLToPath(new URL('../../cloud/web/dist', import.meta.url))

const PASSWORD = 'correct horse battery'

/** Starts it; call in `beforeAll`. Every reply is checked against its schema. */
export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const database = await startTestDatabase()
  const org = await database.newOrg()
  const { startAt = Date.UTC(2026, 2, 2, 8), isForBrowser = false } = options
  const clock = isForBrowser ? createRunningClock() : createTestClock(startAt)
  const jobs = createHandEngine()
  const app = await startApp({
    db: database.db,
    engine: jobs,
    clock: clock.now,
    log: silentLog,
    modules: (platform) => options.modules?.(platform, org) ?? [],
    values: options.values ?? noValues,
    root: () => options.root,
    checksReplies: true,
    ...(isForBrowser ? { consoleDir: CONSOLE } : {}),
  })
  const settled = async () => {
    for (let before = -1; before !== app.relay.head(); ) {
      before = app.relay.head()
      await app.relay.flush()
      await app.consumers.caughtUp(app.relay.head())
      await app.relay.flush()
    }
  }
  return {
    app,
    database,
    clock,
    org,
    system: systemActor(org),
    settled,
    person: (roles, { id = newId(), name = roles.join(' ') } = {}) =>
      newPerson({ app, org, clock }, { id, name, roles }),
    async advance(ms) {
      await settled()
      clock.advance(ms)
      do await settled()
      while (await jobs.runDue(clock.now()))
    },
    async close() {
      await app.close()
      await database.close()
    },
  }
}

function createTestClock(startAt: number): TestClock {
  let at = startAt
  return {
    now: () => at,
    advance: (ms) => {
      at += ms
    },
  }
}

function createRunningClock(): TestClock {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    advance: (ms) => {
      aheadMs += ms
    },
  }
}

interface HandEngine extends JobEngine {
  /** Runs what is due by now; true when anything was. */
  runDue(now: number): Promise<boolean>
}

/** A job engine that runs jobs when it is told to, by the test's clock. */
function createHandEngine(): HandEngine {
  const waiting = new Map<string, EngineJob>()
  const known = new Set<string>()
  let run: Parameters<JobEngine['work']>[0] = async () => {}
  return {
    async put(job) {
      if (known.has(job.id)) return
      known.add(job.id)
      waiting.set(job.id, job)
    },
    cancel: async (id) => void waiting.delete(id),
    work: async (given) => {
      run = given
    },
    close: async () => waiting.clear(),
    async runDue(now) {
      const due = [...waiting.values()].filter((job) => job.when.getTime() <= now)
      for (const job of due.sort((a, b) => a.when.getTime() - b.when.getTime())) {
        waiting.delete(job.id)
        await run(job)
      }
      return due.length > 0
    },
  }
}

interface PersonInput {
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
}

async function newPerson(
  { app, org, clock }: { app: App; org: string; clock: TestClock },
  { id, name, roles }: PersonInput,
): Promise<TestPerson> {
  const userName = `user-${id}`
  const at = new Date(clock.now())
  const accountId = await app.db.inOrg(org, (tx) =>
    createAccount(tx, { org, personId: id, userName, name, roles, password: PASSWORD, at }),
  )
  let cookie: Promise<string> | undefined
  return {
    id,
    accountId,
    userName,
    password: PASSWORD,
    actor: { kind: 'person', id, org, name, roles, relations: {}, origin: { address: null, userAgent: null } },
    cookie() {
      cookie ??= signIn(app, userName)
      return cookie
    },
  }
}

async function signIn(app: App, username: string): Promise<string> {
  const answer = await app.http.inject({
    method: 'POST',
    url: '/api/session',
    payload: { username, password: PASSWORD },
  })
  if (answer.statusCode !== 200) throw new Error(`sign-in failed: ${answer.body}`)
  return String(answer.headers['set-cookie']).split(';')[0] ?? ''
}
