import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { suiteModules } from '#cloud/suite/index.ts'
import { openTls } from '#cloud/tls.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from './platform.ts'
import { connectScriptedEdge, type ScriptedEdge } from './sparkplug-edge.ts'

const SEED = fileURLToPath(new URL('../../devices/plants/module-factory.organisation.yaml', import.meta.url))
const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))
export const SUITE_PASSWORD = 'a long demo password'
const DAY_MS = 86_400_000
export const GROUP = 'module-factory'

/** What the compressor's state tag says. */
export const RUNNING = 1
export const STOPPED = 7

const TAGS = [
  { tag: 'motor-temperature', alias: 10, type: 'double', unit: '°F' },
  { tag: 'state', alias: 11, type: 'uint32' },
  { tag: 'oil-temperature', alias: 12, type: 'double', unit: '°C' },
] as const
type TagName = (typeof TAGS)[number]['tag']
/** Aliases are unique in an edge: each further device has its own hundred. */
const DEVICES = ['compressor-1', 'compressor-9']

export interface CallOptions {
  readonly body?: object
  readonly status?: number
  readonly headers?: Record<string, string>
}

/** The whole cloud but its listening port: people of the demonstration plant, a real machine side, one edge on the wire. */
export interface TestSuite extends TestPlatform {
  readonly pipeline: Pipeline
  /** The demonstration plant's organisation. */
  readonly plantOrg: string
  /** Calls the API as an account of the plant; throws with the answer when the status is not the one expected (200). */
  call<T>(who: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, more?: CallOptions): Promise<T>
  get<T>(who: string, url: string): Promise<T>
  post<T>(who: string, url: string, body: object, status?: number): Promise<T>
  /** Brings line 1 and its compressor up, running. */
  connectLine(device?: string): Promise<void>
  /** Sends values of the compressor, at the clock's time. */
  reads(values: Partial<Record<TagName, number>>, device?: string): Promise<void>
  /** Lets what was committed take its course until the check answers something. */
  eventually<T>(check: () => Promise<T | false | undefined>): Promise<T>
}

/** Starts it; call in `beforeAll`. */
export async function startTestSuite(options: Pick<TestPlatformOptions, 'isForBrowser'> = {}): Promise<TestSuite> {
  const dir = mkdtempSync(join(tmpdir(), 'andon-suite-'))
  let pipeline: Pipeline | undefined
  // What stands still in the past would sign certificates that TLS, which knows the machine's time, does not take.
  let signingClock = Date.now
  // The machine side needs the database that the platform brings, and the modules need the machine side.
  const machine = new Proxy({} as Pipeline, { get: (_, key) => pipeline?.[key as keyof Pipeline] })
  const seed = { file: SEED, password: SUITE_PASSWORD }
  const tls = await openTls(
    { dataDir: dir, bind: '127.0.0.1', publicUrl: undefined, tls: undefined },
    () => signingClock(),
    silentLog,
  )
  const { authority } = tls
  const root = authority.rootPem
  const platform = await startTestPlatform({
    ...options,
    root,
    modules: (given) => suiteModules({ ...given, pipeline: machine, authority, seed }),
  })
  if (options.isForBrowser) signingClock = platform.clock.now
  pipeline = await startPipeline({
    db: platform.database.db,
    dataDir: dir,
    profilesDir: PROFILES,
    mqtt: {
      ...{ host: '127.0.0.1', port: 0 },
      tls: { host: '127.0.0.1', port: 0, certificate: tls.certificate, clientAuthority: root, serverRoot: root },
    },
    clock: platform.clock.now,
    log: silentLog,
  })
  const organisations = await platform.database.db.system.selectFrom('organisations').selectAll().execute()
  const plantOrg = organisations.find((o) => o.key === 'sunrise')?.id ?? ''
  const api = caller(platform)
  const line = lineOf(platform, pipeline, api)
  return {
    ...platform,
    ...api,
    ...line,
    pipeline,
    plantOrg,
    async eventually(check) {
      for (;;) {
        await platform.settled()
        const answer = await check()
        if (answer) return answer
        await nextTurn()
      }
    },
    async close() {
      await line.close()
      await platform.app.close()
      await pipeline?.close()
      tls.certificate.close()
      await platform.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

type Api = Pick<TestSuite, 'call' | 'get' | 'post'>

function caller(platform: TestPlatform): Api {
  const cookies = new Map<string, Promise<string>>()
  let signedInAt = platform.clock.now()
  const cookie = (who: string) => {
    // A clock that was moved far ends sessions.
    if (platform.clock.now() - signedInAt > DAY_MS) cookies.clear()
    signedInAt = platform.clock.now()
    const known = cookies.get(who) ?? signIn(platform, who)
    cookies.set(who, known)
    return known
  }
  const call: Api['call'] = async (who, method, url, { body, status = 200, headers } = {}) => {
    const answer = await platform.app.http.inject({
      method,
      url,
      headers: { cookie: await cookie(who), ...headers },
      ...(body ? { payload: body } : {}),
    })
    if (answer.statusCode !== status) throw new Error(`${who} ${method} ${url}: ${answer.statusCode} ${answer.body}`)
    return answer.json()
  }
  return {
    call,
    get: (who, url) => call(who, 'GET', url),
    post: (who, url, body, status = 200) => call(who, 'POST', url, { body, status }),
  }
}

async function signIn({ app }: TestPlatform, username: string): Promise<string> {
  const payload = { username, password: SUITE_PASSWORD }
  const answer = await app.http.inject({ method: 'POST', url: '/api/session', payload })
  if (answer.statusCode !== 200) throw new Error(`sign-in of ${username}: ${answer.body}`)
  return String(answer.headers['set-cookie']).split(';')[0] ?? ''
}

function lineOf({ clock, settled }: TestPlatform, pipeline: Pipeline, { post }: Api) {
  let edge: ScriptedEdge | undefined
  let seen = 0
  const path = (device: string, tag: string) => `${GROUP}/line-1/${device}/${tag}`
  const aliased = (device: string) => TAGS.map((tag) => ({ ...tag, alias: tag.alias + 100 * DEVICES.indexOf(device) }))
  const heard = async (check: () => Promise<boolean>) => {
    while (!(await check())) await nextTurn()
  }
  const reads: TestSuite['reads'] = async (values, device = 'compressor-1') => {
    const wanted = aliased(device).filter((tag) => values[tag.tag] !== undefined)
    const next = seen + 1
    await edge?.data(
      device,
      wanted.map(({ alias, type, tag }) => ({ alias, type, at: clock.now(), value: values[tag] ?? 0 })),
    )
    await heard(async () => seen >= next)
    await settled()
  }
  return {
    reads,
    async connectLine(device = 'compressor-1') {
      if (!edge) {
        const body = { group: GROUP, edge: 'line-1' }
        const { secret } = await post<{ secret: string }>('engineer', '/api/edges', body, 201)
        edge = await connectScriptedEdge({ port: pipeline.mqtt.port, ...body, secret })
        await edge.birth(0n, 0n)
      }
      await edge.deviceBirth(device, aliased(device), { profile: 'screw-compressor', at: clock.now() })
      await heard(async () => (await pipeline.tag(path(device, 'state'))) !== undefined)
      pipeline.live.subscribe(
        TAGS.map(({ tag }) => path(device, tag)),
        () => {
          seen += 1
        },
      )
      await reads({ 'motor-temperature': 85, state: RUNNING, 'oil-temperature': 80 }, device)
    },
    close: async () => edge?.close(),
  }
}
