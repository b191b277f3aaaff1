import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import mqtt from 'mqtt'
import { stringify } from 'yaml'
import { stateTopic } from '#cloud/pipeline/broker/state.ts'
import { HOST_ID } from '#cloud/pipeline/host/host.ts'
import { pipelineStore } from '#cloud/pipeline/shard/store.ts'
import { startMosquitto } from '#tests/support/mosquitto.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '#tests/support/postgres.ts'
import { startRedis } from '#tests/support/redis.ts'
import { startVictoriaMetrics } from '#tests/support/victoria-metrics.ts'
import type { Bench } from './bench.ts'
import { profile } from './ingest/cloud.ts'
import type { Order, Report } from './ingest/generator.ts'
import { edgeName, type Load, PROFILE_KEY, TAGS } from './ingest/plan.ts'
import { type MachineSide, startMachineSide } from './shards/machine-side.ts'
import { compareInVictoria } from './shards/verify.ts'

const SHAPE = { group: 'shards', edges: 4, devices: 2, perMessage: 100 } as const
const RATE = 2000
/** See cloud/pipeline/lease. */
const LEASE_MS = 4000
const GIVE_UP_MS = 60_000
const SHORT_SECONDS = 20

/**
 * Two machine sides on Debian's mosquitto and victoria-metrics divide the edges: one is killed, then one is stopped for twice
 * the lease and goes on. How long its edges have nobody, and what is missing or there twice in the end. Below 20 s only the kill.
 */
export const bench: Bench = {
  name: 'shards',
  summary: 'take-over between two machine sides at work at once, by kill -9 and by SIGSTOP, against a ledger',
  seconds: 60,
  run: async ({ seconds, say, rate = RATE }) => {
    const dir = mkdtempSync(join(tmpdir(), 'andon-shards-'))
    const [database, broker, engine, redis] = await Promise.all([
      startTestDatabase(),
      startMosquitto(),
      startVictoriaMetrics(),
      startRedis(),
    ])
    const sides: MachineSide[] = []
    try {
      await registerEdges(database)
      const config = writeFiles(dir)
      const env = environment(database, { broker: broker.port, engine: engine.url, redis: redis.url })
      for (const name of ['first', 'second']) {
        sides.push(startMachineSide({ name, config, say, env: { ...env, ANDON_DATA: join(dir, name) } }))
      }
      await divided(database)
      const state = await watchState(broker.port)
      const load = startLoad(broker.port, rate)
      await load.born
      await committedAfter(database, edgeNames(), 0)
      const pause = () => wait((seconds * 1000) / 6)
      await pause()
      const killed = await takeOver(database, sides, (side) => side.kill('SIGKILL'))
      say(`taken over ${killed} ms after kill -9, online again ${state.longestMs()} ms after offline`)
      await divided(database)
      await pause()
      const stopped = seconds < SHORT_SECONDS ? undefined : await stopOne(database, sides)
      if (stopped !== undefined) say(`taken over ${stopped} ms after SIGSTOP`)
      const ends = sides.reduce((sum, side) => sum + side.ends(), 0)
      const samples = await load.drain()
      const found = await compareInVictoria(engine.url, load.load, samples)
      load.close()
      state.close()
      const each = { killMs: killed, ...(stopped === undefined ? {} : { stopMs: stopped }) }
      return {
        takeoverMs: Math.max(killed, stopped ?? 0),
        ...each,
        stateMs: state.longestMs(),
        ...found,
        kills: stopped === undefined ? 1 : 2,
        ends,
      }
    } finally {
      await Promise.all(sides.map((side) => side.stop()))
      await Promise.all([database.close(), broker.close(), engine.close(), redis.close()])
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

async function registerEdges({ db, newOrg }: TestDatabase): Promise<void> {
  const org = await newOrg()
  const store = pipelineStore(db)
  for (let edge = 0; edge < SHAPE.edges; edge++) {
    await store.register({ org, group: SHAPE.group, edge: edgeName(edge), secretHash: 'of the broker' }, new Date())
  }
}

function writeFiles(dir: string): string {
  const profiles = join(dir, 'profiles')
  mkdirSync(profiles)
  writeFileSync(join(profiles, `${PROFILE_KEY}.yaml`), stringify(profile()))
  writeFileSync(join(dir, 'cloud.yaml'), stringify({ version: 1, profiles, log: 'warn' }))
  return join(dir, 'cloud.yaml')
}

function environment(
  { server }: TestDatabase,
  { broker, engine, redis }: { broker: number; engine: string; redis: string },
) {
  const { superuser, host, port } = server
  const account = `${superuser.user}:${superuser.password}`
  return {
    DATABASE_URL: `postgresql://${account}@localhost:${port}/andon?host=${encodeURIComponent(host)}`,
    ...{ ANDON_SECRET: TEST_SECRET, MQTT_URL: `mqtt://127.0.0.1:${broker}`, INFLUX_URL: engine, REDIS_URL: redis },
    ...{ ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' },
  }
}

/** Stops one until the other has long taken over, and waits until it has found that out and ended. */
async function stopOne(database: TestDatabase, sides: readonly MachineSide[]): Promise<number> {
  const ends = () => sides.reduce((sum, side) => sum + side.ends(), 0)
  const before = ends()
  const ms = await takeOver(database, sides, (side) => {
    side.kill('SIGSTOP')
    setTimeout(() => side.kill('SIGCONT'), 2 * LEASE_MS)
  })
  await until(async () => ends() > before)
  return ms
}

/** Times how long STATE said that the host is offline, as edges see it. */
async function watchState(port: number) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
  let offlineAt: number | undefined
  let longestMs = 0
  client.on('message', (_, bytes) => {
    const { online } = JSON.parse(bytes.toString()) as { online: boolean }
    if (!online) offlineAt ??= performance.now()
    else if (offlineAt !== undefined) {
      longestMs = Math.max(longestMs, Math.round(performance.now() - offlineAt))
      offlineAt = undefined
    }
  })
  await client.subscribeAsync(stateTopic(HOST_ID), { qos: 1 })
  return {
    longestMs: () => (offlineAt === undefined ? longestMs : Math.round(performance.now() - offlineAt)),
    close: () => client.end(true),
  }
}

/** Hits the process that speaks for the host; resolves with the ms until another one has committed values of each of them. */
async function takeOver(
  database: TestDatabase,
  sides: readonly MachineSide[],
  hit: (side: MachineSide) => void,
): Promise<number> {
  const found = await owners(database)
  const victim = found.find(({ speaks }) => speaks)
  const side = sides.find((one) => String(one.pid()) === victim?.pid)
  if (!victim || !side) throw new Error(`no process of this benchmark speaks for the host: ${JSON.stringify(found)}`)
  const at = Date.now()
  hit(side)
  await until(
    async () =>
      (await owners(database)).flatMap(({ fence, edges }) => (fence === victim.fence ? [] : edges)).length ===
      SHAPE.edges,
  )
  await committedAfter(database, victim.edges, Date.now())
  return Date.now() - at
}

interface Owner {
  readonly fence: string
  /** Of the process, as it told where it is asked. */
  readonly pid: string | null
  readonly speaks: boolean
  readonly edges: readonly string[]
}

async function owners({ db }: TestDatabase): Promise<readonly Owner[]> {
  const { rows } = await sql<Owner>`
    select m.fence, m.address ->> 'pid' as pid, array_agg(e.edge) as edges,
      exists (select from pipeline_speaker s where s.fence = m.fence) as speaks
    from pipeline_members m join edges e on e.owner_fence = m.fence group by m.fence order by m.fence`.execute(
    db.system,
  )
  return rows
}

/** Resolves when both have half of the edges each. */
const divided = (database: TestDatabase) =>
  until(async () => {
    const found = await owners(database)
    return found.length === 2 && found.every(({ pid, edges }) => pid !== null && edges.length === SHAPE.edges / 2)
  })

const edgeNames = () => Array.from({ length: SHAPE.edges }, (_, edge) => edgeName(edge))

/** Resolves when values of each of these edges were committed after a time, ms since 1970. */
const committedAfter = ({ db }: TestDatabase, edges: readonly string[], at: number) =>
  until(async () => {
    const { rows } = await sql<{ at: Date }>`
      select max(updated_at) as at from history_marks where edge = any (${edges}) group by edge`.execute(db.system)
    return rows.length === edges.length && rows.every((row) => row.at.getTime() > at)
  })

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error('nothing happened for a minute')
    await wait(20)
  }
}

/** The generator of the ingest benchmark, in a process of its own, which keeps the ledger. */
function startLoad(port: number, rate: number) {
  const generator = fork(fileURLToPath(new URL('ingest/generator.ts', import.meta.url)))
  const tags = SHAPE.edges * SHAPE.devices * TAGS
  const load: Load = { ...SHAPE, periodMs: Math.max(1, Math.round((tags * 1000) / rate)), baseAt: Date.now() }
  const order = (one: Order) => void generator.send(one)
  const heard = <T extends Report['type']>(type: T) =>
    new Promise<Extract<Report, { type: T }>>((resolve) => {
      generator.on('message', (report: Report) => {
        if (report.type === type) resolve(report as Extract<Report, { type: T }>)
      })
    })
  // Half a minute of data may be under way: nobody acknowledges anything during a take-over.
  order({ type: 'open', load, port, secret: 'none', window: Math.ceil((rate * 30) / SHAPE.edges) })
  const born = heard('born').then(() => order({ type: 'rate', valuesPerSecond: rate }))
  return {
    load,
    born,
    async drain() {
      order({ type: 'drain' })
      return (await heard('drained')).samples
    },
    close: () => generator.disconnect(),
  }
}
