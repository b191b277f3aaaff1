import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { connectBroker } from '#cloud/pipeline/broker/external.ts'
import { startServer } from '#cloud/platform/database/embedded/server.ts'
import { withClient } from '#cloud/platform/database/start.ts'
import { CLOUD_SETTINGS } from '#cloud/settings.ts'
import { silentLog } from '#shared/log/log.ts'
import { debianProgram, freePort } from '#tests/support/debian.ts'
import { accepts, mosquittoProgram } from '#tests/support/mosquitto.ts'
import { startVictoriaMetrics } from '#tests/support/victoria-metrics.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (name: string) => readFileSync(join(root, name), 'utf8')

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly target: string }
  readonly network_mode?: string
  readonly restart?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly profiles?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly tmpfs?: readonly string[]
}
const compose = parse(text('compose.yaml')) as {
  services: Record<string, Service>
  volumes: Record<string, object>
}
const { cloud = {}, edge: box = {}, ...engines } = compose.services
const SECRETS = {
  POSTGRES_PASSWORD: 'pg0secret',
  MQTT_PASSWORD: 'mq0secret',
  REDIS_PASSWORD: 'rd0secret',
  ANDON_SECRET: 'x'.repeat(44),
}

/** An environment of a service as compose makes it from these variables. */
function substituted(environment: Readonly<Record<string, string>> = {}): Record<string, string> {
  const value = (whole: string) =>
    whole.replaceAll(/\$\{(\w+)(?::[-?]([^}]*))?\}/g, (match, name: string, fallback?: string) => {
      const given = (SECRETS as Record<string, string>)[name]
      return given ?? (match.includes(':-') ? (fallback ?? '') : '')
    })
  return Object.fromEntries(Object.entries(environment).map(([name, whole]) => [name, value(whole)]))
}

const stages = [...text('Dockerfile').matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, from, name]) => ({ from, name }))
const closing: (() => unknown)[] = []
const dir = mkdtempSync(join(tmpdir(), 'andon-compose-'))

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('compose.yaml', () => {
  it('sets only what the cloud knows, and builds a target of the Dockerfile', () => {
    const known = CLOUD_SETTINGS.map(({ name }) => name)
    expect(Object.keys(cloud.environment ?? {}).filter((name) => !known.includes(name))).toEqual([])
    expect(stages.map(({ name }) => name)).toContain(cloud.build?.target)
  })

  it('lets the cloud listen where it can be reached: its plain ports are on loopback, so on that of the host', () => {
    expect([cloud.network_mode, cloud.ports]).toEqual(['host', undefined])
  })

  it('starts an edge only for those who ask, and lets it write into its volume alone', () => {
    expect(stages.map(({ name }) => name)).toContain(box.build?.target)
    expect([box.profiles, box.network_mode, box.environment]).toEqual([['edge'], 'host', undefined])
    expect([box.read_only, box.cap_drop, box.security_opt, box.tmpfs]).toEqual([
      true,
      ['ALL'],
      ['no-new-privileges:true'],
      ['/tmp'],
    ])
    const [, volume] = /edge:(\S+)/.exec(box.volumes?.join() ?? '') ?? []
    const stage = text('Dockerfile').slice(text('Dockerfile').indexOf(' AS edge'))
    expect(stage).toContain(`VOLUME ${volume}\n`)
    expect(stage).toMatch(/^USER andon$/m)
    expect(stage).toContain(`"${volume}/edge.yaml"`)
  })

  it('starts everything again that ends', () => {
    expect(Object.values(compose.services).map(({ restart }) => restart)).not.toContain(undefined)
  })

  it('publishes each engine on loopback alone, at the address by which the cloud asks for it, and no engine for nothing', () => {
    const published = Object.values(engines).flatMap(({ ports = [] }) => ports)
    expect(published.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([])
    const asked = Object.entries(substituted(cloud.environment)).flatMap(([name, value]) => {
      if (!/_URL$/.test(name) || name === 'ANDON_PUBLIC_URL') return []
      const { hostname, port } = new URL(value)
      return [`${hostname}:${port}`]
    })
    expect(published.map((port) => port.replace(/:\d+$/, '')).toSorted()).toEqual(asked.toSorted())
  })

  it('leads each published port to where that engine listens', () => {
    const inside = Object.fromEntries(
      Object.entries(engines).map(([name, { ports = [] }]) => [name, ports.map((port) => Number(port.split(':')[2]))]),
    )
    const listeners = [...text('deploy/mosquitto/mosquitto.conf').matchAll(/^listener (\d+)$/gm)].map(([, n]) =>
      Number(n),
    )
    // Those of PostgreSQL, VictoriaMetrics and Redis are their own, unless their commands say otherwise.
    expect(inside).toEqual({ postgres: [5432], broker: listeners, history: [8428], redis: [6379] })
    expect(engines.history?.command?.join(' ')).not.toContain('httpListenAddr')
  })

  it('gives the cloud the account that it makes in the database', () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = substituted(engines.postgres?.environment)
    const url = new URL(substituted(cloud.environment).DATABASE_URL ?? '')
    expect([url.username, url.password, url.pathname]).toEqual([POSTGRES_USER, POSTGRES_PASSWORD, `/${POSTGRES_DB}`])
  })

  it('mounts only volumes that it declares and files that are there', () => {
    const sources = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((v) => v.split(':')[0] ?? ''),
    )
    expect(sources.filter((source) => !(source in compose.volumes) && !existsSync(join(root, source)))).toEqual([])
    const [program = '', config = ''] = engines.broker?.command ?? []
    const inDeploy = (path: string) => join(root, path.replace('/andon/', 'deploy/mosquitto/'))
    expect(existsSync(inDeploy(config))).toBe(true)
    for (const script of [program, '/andon/set-password', '/andon/add-edge'])
      accessSync(inDeploy(script), constants.X_OK)
  })

  it('names secrets that deploy/README.md tells how to make, and has none of its own', () => {
    const named = [...text('compose.yaml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name ?? '')
    expect(new Set(named)).toEqual(new Set(Object.keys(SECRETS)))
    for (const name of named) expect(text('deploy/README.md')).toContain(`${name}=`)
  })
})

describe('the Dockerfile', () => {
  /** What `FROM` and later steps install into the image that runs. */
  const installed =
    /apt-get install -y --no-install-recommends ([^\\&]+)/.exec(text('Dockerfile'))?.[1]?.trim().split(' ') ?? []
  const PACKAGE_OF: Readonly<Record<string, string>> = {
    'libatomic.so.1': 'libatomic1',
    'libgcc_s.so.1': 'libgcc-s1',
    'libstdc++.so.6': 'libstdc++6',
  }
  const OF_LIBC = /^(linux-vdso|libc|libm|libdl|libpthread|librt)\.so|^\/lib.*\/ld-linux/

  it('installs every library that the product’s Node is linked to', () => {
    const node = join(root, 'node_modules/node/bin/node')
    const linked = execFileSync('ldd', [node], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s/)[0] ?? '')
    const needed = linked.filter((library) => !OF_LIBC.test(library)).map((library) => PACKAGE_OF[library] ?? library)
    expect(needed.length).toBeGreaterThan(0)
    expect(needed.filter((name) => !installed.includes(name))).toEqual([])
    expect(stages.find(({ name }) => name === 'cloud')?.from).toBe('base')
    // The edge brings what Debian lacks; edge-on-a-clean-debian.test.ts runs it without.
    expect(stages.find(({ name }) => name === 'edge')?.from).toBe('debian:bookworm-slim')
  })

  it('exposes only the ports that listen beyond the container when told to', () => {
    const exposed = [...text('Dockerfile').matchAll(/^EXPOSE (.+)$/gm)].flatMap(([, ports = '']) => ports.split(' '))
    expect(exposed).toEqual(['8443', '8883'])
  })

  it('starts commands that the images hold', () => {
    const commands = [...text('Dockerfile').matchAll(/^CMD (.+)$/gm)].map(
      ([, list = '[]']) => JSON.parse(list) as string[],
    )
    expect(commands).toEqual([['cloud'], ['edge', '--config', '/var/lib/andon-edge/edge.yaml']])
  })
})

describe('what an image is built from', () => {
  const rules = text('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  /** Judges a path by the forms of rule that stand there: `*`, `!NAME`, `**` before a name; the last that fits counts. */
  const isSent = (path: string) =>
    rules.reduce((sent, rule) => {
      const parts = path.split('/')
      if (rule === '*') return false
      if (rule.startsWith('!')) return sent || `${path}/`.startsWith(`${rule.slice(1)}/`)
      const name = rule.replace('**/', '')
      const fits = name.startsWith('*') ? path.endsWith(name.slice(1)) : parts.includes(name)
      return fits ? false : sent
    }, true)

  it('leaves out secrets, data, history, installed and built files', () => {
    const secret = [
      '.env',
      '.git/config',
      '.andon/cloud/secret',
      'edge-data/status-token',
      'edge.yaml',
      'root.pem',
      'deploy/mosquitto/key.pem',
    ]
    const made = [
      'node_modules/pg/index.js',
      'cloud/web/dist/index.html',
      'edge/config.test.ts',
      'tests/bench/bench.ts',
    ]
    expect([...secret, ...made].filter(isSent)).toEqual([])
  })

  it('holds every tracked file that the images are assembled from', () => {
    const parts = /^parts=\(([^)]+)\)$/m.exec(text('.ci/assemble'))?.[1]?.split(' ') ?? []
    const always = [
      'andon.ts',
      'package.json',
      'package-lock.json',
      '.npmrc',
      '.ci',
      'LICENSE',
      'shared',
      'tsconfig.json',
      'edge',
      'commands/edge.ts',
      'deploy/edge/andon-edge',
    ]
    expect(parts.length).toBeGreaterThan(7)
    const names = [...parts, ...always]
    expect(names.filter((name) => !isSent(statSync(join(root, name)).isDirectory() ? `${name}/x.ts` : name))).toEqual(
      [],
    )
  })
})

/** Starts the broker as its container does, on another port and directory. */
async function startBroker(name: string) {
  const data = join(dir, name)
  mkdirSync(data, { recursive: true })
  // mosquitto goes on as a user of its own.
  execFileSync('chmod', ['755', dir])
  const port = await freePort()
  const config = join(dir, `${name}.conf`)
  const moved = text('deploy/mosquitto/mosquitto.conf')
    .replaceAll('/mosquitto/data', data)
    .replace(/^listener 1883$/m, `listener ${port} 127.0.0.1`)
  writeFileSync(config, moved, { mode: 0o644 })
  const env = { ...process.env, ...substituted(engines.broker?.environment) }
  const child = spawn(join(root, 'deploy/mosquitto/start'), [config, data], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  closing.push(stop)
  await accepts(child, port)
  const admit = (edge: string, secret: string) => {
    const run = { input: `${secret}\n`, encoding: 'utf8' as const }
    return spawnSync(join(root, 'deploy/mosquitto/add-edge'), ['plant', edge, data], run)
  }
  return { url: `mqtt://127.0.0.1:${port}`, port, data, admit, stop }
}

const PATIENT = { timeout: 20_000 }

describe.skipIf(!mosquittoProgram())('the broker of compose.yaml', () => {
  it('takes the cloud with its password, and edges after add-edge, each to its own topics alone', async () => {
    const broker = await startBroker('rights')
    const address = { url: broker.url, username: 'andon', password: SECRETS.MQTT_PASSWORD }
    const host = await connectBroker({ address, clock: Date.now, log: silentLog })
    closing.push(() => host.close())
    expect(host.fault()).toBeUndefined()
    const heard: string[] = []
    await host.consume((topic, payload) => void heard.push(`${'edge' in topic && topic.edge} ${payload}`))
    for (const edge of ['line-1', 'line-2']) await host.subscribeEdge({ group: 'plant', edge })

    const asEdge = () =>
      mqtt.connectAsync(broker.url, { username: 'plant/line-1', password: 'shown once', reconnectPeriod: 0 }, false)
    await expect(asEdge()).rejects.toThrow(/[Nn]ot authorized/)
    expect(broker.admit('line-1', 'shown once')).toMatchObject({ status: 0, stderr: '' })
    await expect
      .poll(
        () =>
          asEdge().then(
            (edge) => closing.push(() => edge.end(true)),
            () => 0,
          ),
        PATIENT,
      )
      .toBeGreaterThan(0)
    const edge = await asEdge()
    closing.push(() => edge.end(true))
    await edge.publishAsync('spBv1.0/plant/NDATA/line-2', 'forged', { qos: 1 })
    await edge.publishAsync('spBv1.0/STATE/andon', 'forged', { qos: 1 })
    await edge.publishAsync('spBv1.0/plant/NDATA/line-1', 'own', { qos: 1 })
    await expect.poll(() => heard, PATIENT).toEqual(['line-1 own'])
    await expect(mqtt.connectAsync(broker.url, { reconnectPeriod: 0 }, false)).rejects.toThrow(/[Nn]ot authorized/)
  })

  it('keeps its edges over a restart, and refuses names that are none and a missing secret', async () => {
    const before = await startBroker('restart')
    expect(before.admit('line-1', 'first').status).toBe(0)
    expect(before.admit('line-1', 'second').status).toBe(0)
    expect(before.admit('Line 1', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining("'Line 1'") })
    expect(before.admit('line-3', '').status).toBe(2)
    await before.stop()
    const after = await startBroker('restart')
    const connect = (password: string) =>
      mqtt.connectAsync(after.url, { username: 'plant/line-1', password, reconnectPeriod: 0 }, false)
    const edge = await connect('second')
    closing.push(() => edge.end(true))
    await expect(connect('first')).rejects.toThrow(/[Nn]ot authorized/)
    expect(readFileSync(join(after.data, 'rights'), 'utf8').match(/^user plant\/line-1$/gm)).toHaveLength(1)
    const kept = ['passwords', 'rights'].map((name) => [name, statSync(join(after.data, name)).mode & 0o077])
    expect(kept).toEqual([
      ['passwords', 0],
      ['rights', 0],
    ])
  })
})

/** A PostgreSQL as the image makes it: an account of its own that may create roles, and its database. */
async function startPostgres(): Promise<number> {
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'fsync=off']
  const server = await startServer({ home: join(dir, 'postgres'), log: silentLog, settings })
  closing.push(() => server.stop())
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = substituted(engines.postgres?.environment)
  await withClient({ host: '127.0.0.1', port, database: 'postgres', ...server.superuser }, async (client) => {
    await client.query(`create role ${POSTGRES_USER} superuser login password '${POSTGRES_PASSWORD}'`)
    await client.query(`create database ${POSTGRES_DB} owner ${POSTGRES_USER}`)
  })
  return port
}

/** Starts Redis as its container does, on another port. */
async function startRedis(): Promise<number> {
  const port = await freePort()
  const [shell = '', ...rest] = engines.redis?.command ?? []
  const args = rest.map((arg) =>
    arg.replaceAll('$$', '$').replace(/redis-server -$/, `redis-server - --port ${port} --bind 127.0.0.1`),
  )
  expect(args.join(' ')).toContain(String(port))
  const env = { ...process.env, ...substituted(engines.redis?.environment) }
  // A group of its own: the shell's end alone would leave the server of its pipe running.
  const child = spawn(shell, args, { env, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  closing.push(async () => {
    if (child.pid) process.kill(-child.pid, 'SIGTERM')
    await once(child, 'exit')
  })
  await accepts(child, port)
  return port
}

const hasEngines = mosquittoProgram() && debianProgram('victoria-metrics') && debianProgram('redis-server')

describe.skipIf(!hasEngines)('the cloud with its settings of compose.yaml', () => {
  it('starts on its engines as they are set up there, and is ready', async () => {
    const broker = await startBroker('whole')
    const flags = (engines.history?.command ?? []).filter((flag) => !flag.startsWith('-storageDataPath'))
    const history = await startVictoriaMetrics(flags)
    closing.push(() => history.close())
    const postgres = await startPostgres()
    const moved = Object.entries({
      5432: postgres,
      6379: await startRedis(),
      1883: broker.port,
      8428: new URL(history.url).port,
    })
    const settings = Object.fromEntries(
      Object.entries(substituted(cloud.environment))
        .filter(([name]) => name !== 'ANDON_PUBLIC_URL')
        .map(([name, value]) => [
          name,
          moved.reduce((s, [from, to]) => s.replace(`127.0.0.1:${from}`, `127.0.0.1:${to}`), value),
        ]),
    )
    const env = { ...process.env, ...settings, ANDON_DATA: join(dir, 'cloud'), ANDON_HTTP_PORT: '0' }
    const child = spawn(process.execPath, ['andon.ts', 'cloud'], { cwd: root, env })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (said += chunk))
    const ended = once(child, 'exit')
    closing.push(async () => {
      child.kill('SIGTERM')
      await ended
    })
    await expect.poll(() => said, { timeout: 60_000 }).toMatch(/console http:\S+/)
    const [, url = ''] = /console (http:\S+)/.exec(said) ?? []
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([200, expect.anything()])
    expect(said).not.toMatch(/"level":[45]0/)
    // Nothing of its own stands beside the engines.
    expect(['postgres', 'history'].filter((name) => existsSync(join(dir, 'cloud', name)))).toEqual([])
  })
})
