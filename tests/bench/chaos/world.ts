import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianProgram, freePort } from '#tests/support/debian.ts'
import { writeMosquittoConfig } from '#tests/support/mosquitto.ts'
import { pick, type Random } from '#tests/support/random.ts'
import { FIT_FLAGS } from '#tests/support/victoria-metrics.ts'
import { below, killAll, type Supervised, supervise } from './supervised.ts'

export const PASSWORD = 'Chaos-Password-1'
export const SECRET = 'chaos-edge-secret-0123456789abcdef'
const INSTALLATION_SECRET = 'chaos-installation-secret-0123456789'
const LONGEST_RESTART_MS = 800
const DATABASE_PATIENCE_MS = 180_000

/** Something that can be killed. */
export interface Victim {
  readonly name: string
  /** SIGKILL; answers how many processes it hit. */
  kill(): number
}

/** How to reach the database as its superuser. */
export interface DatabaseAccess {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** A running installation, every process of which is started again when it ends. */
export interface World {
  readonly name: WorldName
  readonly url: string
  /** Where history is, unless it is kept by the product itself. */
  readonly engineUrl?: string
  readonly mqttPort: number
  readonly victims: readonly Victim[]
  readonly processes: readonly Supervised[]
  database(): DatabaseAccess
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly dir: string
  readonly config: string
  readonly random: Random
}

export type WorldName = 'embedded' | 'scale-out'

const POSTMASTER = /bin\/postgres -D/
const BACKEND = /^postgres: /

const victim = (one: Supervised): Victim => ({ name: one.name, kill: () => Number(one.kill()) })

/** The server whose parent is this process, and one process of it alone. */
function databaseVictims(parent: Supervised, random: Random): Victim[] {
  return [
    { name: 'postgres', kill: () => killAll(below(parent.pid(), POSTMASTER)) },
    {
      name: 'a process of postgres',
      kill: () => {
        const backends = below(parent.pid(), BACKEND)
        return backends.length > 0 ? killAll([pick(random, backends)]) : 0
      },
    },
  ]
}

function databaseIn(home: string): DatabaseAccess {
  const password = readFileSync(join(home, 'superuser-password'), 'utf8').trim()
  return { host: join(home, 'socket'), port: 5432, user: 'postgres', password, database: 'andon' }
}

const secrets = { ANDON_DEMO_PASSWORD: PASSWORD, ANDON_EDGE_SECRET: SECRET, ANDON_SECRET: INSTALLATION_SECRET }
const cloudArgs = (config: string, ...more: string[]) => ['andon.ts', 'cloud', '--config', config, ...more]

/** One process with everything in it: broker, machine side, PostgreSQL below it, DuckDB, console. */
export async function startEmbedded({ dir, config, random }: WorldOptions): Promise<World> {
  const [mqttPort, httpPort] = [await freePort(), await freePort()]
  const data = join(dir, 'cloud')
  const ports = {
    ANDON_HTTP_PORT: String(httpPort),
    ANDON_MQTT_PORT: String(mqttPort),
    ANDON_MQTTS_PORT: '0',
    ANDON_HTTPS_PORT: '0',
  }
  const cloud = supervise({
    ...{ name: 'cloud', command: process.execPath, args: cloudArgs(config) },
    env: { ...secrets, ...ports, ANDON_DATA: data },
    restartMs: () => random(LONGEST_RESTART_MS),
  })
  return {
    ...{ name: 'embedded', url: `http://127.0.0.1:${httpPort}`, mqttPort },
    victims: [victim(cloud), ...databaseVictims(cloud, random)],
    processes: [cloud],
    database: () => databaseIn(join(data, 'postgres')),
    stop: () => cloud.stop(),
  }
}

/** True when the engines of other makers are installed. */
export const canScaleOut = (): boolean => ENGINES.every((name) => debianProgram(name) !== undefined)

const ENGINES = ['mosquitto', 'victoria-metrics', 'redis-server'] as const

/** mosquitto, VictoriaMetrics, Redis, a PostgreSQL of its own, two machine sides and a process for people. */
export async function startScaleOut({ dir, config, random }: WorldOptions): Promise<World> {
  const [mqttPort, httpPort] = [await freePort(), await freePort()]
  const [enginePort, redisPort] = [await freePort(), await freePort()]
  const engineUrl = `http://127.0.0.1:${enginePort}`
  const restartMs = () => random(LONGEST_RESTART_MS)
  const own = (name: string, command: string, args: readonly string[], env = {}) =>
    supervise({ name, command, args, env, restartMs })
  const home = join(dir, 'postgres')
  const postgres = own('postgres', process.execPath, [script('postgres.ts'), home])
  const broker = own('broker', debianProgram('mosquitto') ?? '', ['-c', writeMosquittoConfig(dir, mqttPort, {})])
  const engine = own('engine', debianProgram('victoria-metrics') ?? '', [
    ...[`-storageDataPath=${join(dir, 'victoria')}`, `-httpListenAddr=127.0.0.1:${enginePort}`],
    ...FIT_FLAGS,
  ])
  const redis = own('redis', debianProgram('redis-server') ?? '', [
    ...['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  ])
  const database = await untilThere(() => databaseIn(home)).catch(async (cause: unknown) => {
    const said = postgres.words()
    await Promise.all([broker, engine, redis, postgres].map((one) => one.stop()))
    throw new Error(`PostgreSQL did not start within ${DATABASE_PATIENCE_MS / 1000} s; it said last: ${said}`, {
      cause,
    })
  })
  const shared = {
    ...secrets,
    DATABASE_URL: `postgresql://${database.user}:${database.password}@localhost:${database.port}/andon?host=${encodeURIComponent(database.host)}`,
    ...{ MQTT_URL: `mqtt://127.0.0.1:${mqttPort}`, INFLUX_URL: engineUrl },
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    ...{ ANDON_MQTT_PORT: '0', ANDON_HTTP_PORT: String(httpPort), ANDON_HTTPS_PORT: '0' },
  }
  const part = (name: string, roles: string) =>
    own(name, process.execPath, cloudArgs(config, '--roles', roles), { ...shared, ANDON_DATA: join(dir, name) })
  const people = part('people', 'web,worker')
  const machineSides = ['machine-1', 'machine-2'].map((name) => part(name, 'pipeline'))
  const processes = [people, ...machineSides, broker, engine, redis, postgres]
  return {
    ...{ name: 'scale-out', url: `http://127.0.0.1:${httpPort}`, mqttPort, engineUrl },
    victims: [...[people, ...machineSides, broker, engine, redis].map(victim), ...databaseVictims(postgres, random)],
    processes,
    database: () => databaseIn(home),
    async stop() {
      await Promise.all([people, ...machineSides].map((one) => one.stop()))
      await Promise.all([broker, engine, redis, postgres].map((one) => one.stop()))
    },
  }
}

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** The first start of a server takes a second or two, on a machine at many times its load a minute. */
async function untilThere<T>(read: () => T): Promise<T> {
  const giveUpAt = performance.now() + DATABASE_PATIENCE_MS
  for (;;) {
    try {
      return read()
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
