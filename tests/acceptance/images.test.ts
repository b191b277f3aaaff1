import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-images-'))
const out = { cloud: join(dir, 'cloud'), edge: join(dir, 'edge') }
type Target = keyof typeof out

interface LockEntry {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, LockEntry>
}

/** Where the lock file puts a package that another one asks for: beside it, or beside one of its parents. */
function placeOf(name: string, askedBy: string): string | undefined {
  const place = join(askedBy, 'node_modules', name)
  if (place in packages) return place
  if (askedBy === '') return undefined
  return placeOf(name, askedBy.slice(0, Math.max(0, askedBy.lastIndexOf('node_modules') - 1)))
}

/** Places of these packages and of all that they need, as an install without development packages lays them out. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>()
  const add = (name: string, askedBy: string) => {
    const place = placeOf(name, askedBy)
    if (place === undefined || found.has(place)) return
    found.add(place)
    const { dependencies, optionalDependencies, peerDependencies } = packages[place] ?? {}
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) add(next, place)
  }
  for (const name of names) add(name, '')
  return found
}

/** Lays links to what the cloud's package.json names, with what that needs, and to nothing else of the checkout. */
function linkCloud(): void {
  const { dependencies } = JSON.parse(readFileSync(join(out.cloud, 'package.json'), 'utf8')) as LockEntry
  const outermost = [...closure(Object.keys(dependencies ?? {}))].filter(
    (place) => !place.slice(1).includes('node_modules'),
  )
  for (const place of outermost) {
    if (!existsSync(join(root, place))) continue
    mkdirSync(dirname(join(out.cloud, place)), { recursive: true })
    symlinkSync(join(root, place), join(out.cloud, place))
  }
}

/** A link is taken for the package itself, so that packages too find only what is linked. */
const env = (settings: Readonly<Record<string, string>>) => ({
  ...process.env,
  NODE_OPTIONS: '--preserve-symlinks',
  ...settings,
})

/** How its image calls a command. */
const callOf = (target: Target): [string, ...string[]] =>
  target === 'cloud' ? [process.execPath, 'andon.ts'] : [join(out.edge, 'andon-edge')]

function andon(target: Target, args: readonly string[]) {
  const [program, ...first] = callOf(target)
  return spawnSync(program, [...first, ...args], { cwd: out[target], encoding: 'utf8', env: env({}) })
}

/** Starts a program, waits until it says `wanted`, lets `look` look, and stops it. Resolves with its exit code and words. */
async function running(
  target: Target,
  args: readonly string[],
  {
    settings,
    wanted,
    look,
  }: { settings: Record<string, string>; wanted: RegExp; look: (found: string) => Promise<void> },
) {
  const [program, ...first] = callOf(target)
  const child = spawn(program, [...first, ...args], { cwd: out[target], env: env(settings) })
  let text = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const said = new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      text += chunk
      const found = wanted.exec(text)
      if (found) resolve(found[1] ?? '')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void ended.then((code) => reject(new Error(`It ended with ${code} without saying ${wanted}:\n${text}`)))
  })
  try {
    await look(await said)
  } finally {
    child.kill('SIGTERM')
    await ended
  }
  return { code: await ended, text }
}

beforeAll(() => {
  for (const target of ['cloud', 'edge'] as const) {
    const options = { env: { ...process.env, ASSEMBLE_INSTALL: 'no' }, stdio: 'pipe' as const }
    execFileSync(join(root, '.ci/assemble'), [target, out[target]], options)
  }
  linkCloud()
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the files and packages of the cloud image', () => {
  it('hold nothing of the edge', () => {
    expect([existsSync(join(out.cloud, 'andon.ts')), existsSync(join(out.cloud, 'edge'))]).toEqual([true, false])
  })

  it('are enough to run the cloud service, with database, broker, history and console', async () => {
    const settings = { ANDON_DATA: join(dir, 'data'), ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' }
    const look = async (url: string) => {
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      expect((await fetch(`${url}/readyz`)).status).toBe(200)
      expect(await (await fetch(url)).text()).toContain('<div id="root">')
    }
    const { code, text } = await running('cloud', ['cloud'], { settings, wanted: /console (http:\S+)/, look })
    expect(text).not.toContain('ERR_MODULE_NOT_FOUND')
    expect(code).toBe(0)
  })

  it('check the files of the cloud, and say of others where they can be checked', () => {
    const file = join(dir, 'cloud.yaml')
    writeFileSync(file, 'version: 1\nlog: loud\n')
    const own = andon('cloud', ['check', file])
    expect([own.status, own.stdout]).toEqual([1, expect.stringContaining("found 'loud'")])
    const foreign = andon('cloud', ['check', join(root, 'devices/plants/module-factory.yaml')])
    expect([foreign.status, foreign.stdout]).toEqual([1, expect.stringContaining('in a full checkout of Andon')])
  })
})

describe('the files and packages of the edge image', () => {
  const file = join(dir, 'edge.yaml')
  beforeAll(() => {
    writeFileSync(
      file,
      `version: 1
group: works
edge: line-1
data: ${join(dir, 'edge-data')}
mqtt: { url: mqtt://127.0.0.1:1 }
status: { port: 0 }
devices:
  - { device: meter, profile: energy-meter, modbus: { host: 127.0.0.1, port: 1 } }
  - { device: reactor, profile: chemical-unit, opcua: { url: opc.tcp://127.0.0.1:1 } }
`,
    )
  })

  it('hold nothing of the cloud', () => {
    const sources = readdirSync(join(out.edge, 'app'))
      .filter((name) => name.endsWith('.map'))
      .flatMap(
        (name) => (JSON.parse(readFileSync(join(out.edge, 'app', name), 'utf8')) as { sources: string[] }).sources,
      )
    expect(sources).toContain('edge/main.ts')
    expect(sources.filter((source) => /^(cloud|devices|tests)\//.test(source))).toEqual([])
  })

  it('are enough to run the edge agent with both of its protocols', async () => {
    const { code, text } = await running('edge', ['edge', '--config', file], {
      settings: {},
      // Told once every driver has tried its device: the OPC UA driver's process has then loaded its library.
      wanted: /"addresses":(\[.*\]).*Addresses of the configuration do not answer/,
      look: async (addresses) => {
        const paths = (JSON.parse(addresses) as { path: string }[]).map(({ path }) => path)
        expect(paths).toEqual(['mqtt.url', 'devices[0].modbus.port', 'devices[1].opcua.url'])
        const token = readFileSync(join(dir, 'edge-data/status-token'), 'utf8')
        expect(token.length).toBeGreaterThan(16)
      },
    })
    expect(text).not.toContain('ERR_MODULE_NOT_FOUND')
    expect(code).toBe(0)
  })

  it('check the files of an edge and its profiles, and say of others where they can be checked', () => {
    const good = andon('edge', ['check', '--offline', file, 'profiles/energy-meter.yaml'])
    expect([good.status, good.stdout]).toEqual([0, expect.stringMatching(/good \(edge;.*good \(device profile\)/s)])
    const foreign = andon('edge', ['check', join(root, 'devices/plants/module-factory.yaml')])
    expect([foreign.status, foreign.stdout]).toEqual([1, expect.stringContaining('in a full checkout of Andon')])
  })

  it.each(['cloud', 'demo', 'devices', 'bench', 'user'])('say of andon %s that it is not part of them', (command) => {
    const { status, stderr } = andon('edge', [command])
    expect(status).toBe(2)
    expect(stderr).toContain(`'${command}' is not part of this installation; a full checkout of Andon has it`)
    expect(stderr).not.toMatch(new RegExp(`^ {2}${command} `, 'm'))
    expect(stderr).toMatch(/^ {2}edge /m)
  })
})
