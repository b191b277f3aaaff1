import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Question } from '#tests/support/closed-plant.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { makeDebianRoot } from '#tests/support/debian-root.ts'
import { descendants } from '#tests/support/demo.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-clean-'))
const isRoot = process.getuid?.() === 0
const canRun = isRoot && process.arch === 'x64' && hasPackage('iproute2') && hasPackage('qemu-user-static')
if (!isRoot)
  process.stdout.write('skipped: the edge on a clean Debian needs root for chroot and a network of its own\n')

/** A network of its own with loopback alone: plant, cloud and boxes are in it, and nothing else is reached. */
const NETWORK = `andon-${process.pid}`
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const DATA = '/var/lib/andon-edge'
const FILE = `${DATA}/edge.yaml`
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'

interface Endpoint {
  readonly device: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
  readonly opcua?: { readonly url: string }
}

const box = { x64: join(dir, 'amd64'), arm64: join(dir, 'arm64') }
type Arch = keyof typeof box
const nameOf = (arch: Arch) => `andon-edge-${version}-linux-${arch}`
const homeOf = (arch: Arch) => `/opt/andon-edge/${nameOf(arch)}`
const archiveOf = (arch: Arch) => join(dir, `${nameOf(arch)}.tar.gz`)

let plant: Awaited<ReturnType<typeof startPlant>>
const children: ChildProcess[] = []

/** Starts plant and cloud inside the network, to be asked line by line. */
async function startPlant() {
  const args = ['netns', 'exec', NETWORK, process.execPath, join(root, 'tests/support/closed-plant.ts')]
  const child = spawn('ip', args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('Plant and cloud ended')
    const { answer: found, fault } = JSON.parse(value) as { answer?: unknown; fault?: string }
    if (fault !== undefined) throw new Error(fault)
    return found
  }
  await answer()
  const ask = async <T>(question: Question): Promise<T> => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    return (await answer()) as T
  }
  const stop = async () => {
    child.stdin.end()
    await once(child, 'exit')
  }
  return { ask, stop }
}

/** How a command is called on the box of that machine; that of the other kind is an emulator before the program. */
function call(arch: Arch, command: readonly string[], as: string): string[] {
  // The mount is seen by this command alone: `ip` gives each a table of mounts of its own.
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$@"'
  const machine = ['netns', 'exec', NETWORK, 'sh', '-c', enter, box[arch], `--userspec=${as}`, box[arch]]
  if (arch === 'x64') return [...machine, 'andon-edge', ...command]
  const home = homeOf(arch)
  const emulator = ['/usr/bin/qemu-aarch64-static', '-E', `LD_LIBRARY_PATH=${home}/lib`]
  return [...machine, ...emulator, `${home}/bin/node`, `${home}/app/andon.mjs`, ...command]
}

const env = (settings: Readonly<Record<string, string>> = {}) => ({ env: { PATH, ...settings }, cwd: '/' })

/** Runs what a person types and resolves with what it says; rejects when it fails. */
const types = async (arch: Arch, ...command: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await run('ip', call(arch, command, userOf(arch)), env())
  return stdout + stderr
}
/** The arm64 box has no account made by install.sh, which has programs to run. */
const userOf = (arch: Arch) => (arch === 'x64' ? 'andon-edge' : '0')

const inBox = (arch: Arch, ...command: readonly string[]) => run('chroot', [box[arch], ...command], env())

/** Starts the agent as the unit does, and waits until its page is there. */
async function startAgent(arch: Arch) {
  const child = spawn('ip', call(arch, ['edge', '--config', FILE], userOf(arch)), {
    ...env({ ANDON_EDGE_PORT: '0' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  const ended = once(child, 'exit')
  const page = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      text += chunk
      const found = /local page (http:\S+) \(token in/.exec(text)?.[1]
      if (found) resolve(found)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void ended.then(([code]) => reject(new Error(`The agent ended with ${code}:\n${text}`)))
  })
  const token = readFileSync(join(box[arch], DATA, 'edge-data/status-token'), 'utf8').trim()
  const stop = async () => {
    child.kill('SIGTERM')
    return (await ended)[0] as number | null
  }
  /** Asks the plant; what the agent said stands in the error. */
  const ask = <T>(question: Question): Promise<T> =>
    plant.ask<T>(question).catch((error: Error) => {
      throw new Error(`${error.message}\nThe agent (exit code ${child.exitCode}):\n${text.slice(-3000)}`)
    })
  return { pid: child.pid ?? 0, page: { url: new URL('/devices', page).href, token }, stop, ask, text: () => text }
}

/** Enrols the box and writes the named devices of the plant into its file. Answers how many lines that has. */
async function connect(arch: Arch, edge: string, names: readonly string[]): Promise<number> {
  const { cloud, code } = await plant.ask<{ cloud: string; code: string }>({ ask: 'code', edge })
  const given = ['--cloud', cloud, '--code', code]
  // As the README says: root types it, and the files are the service's. The emulated box has no launcher.
  const enrolled =
    arch === 'x64'
      ? (await run('ip', call(arch, ['enroll', ...given], '0:0'), env())).stdout
      : await types(arch, 'edge', 'enroll', ...given, '--config', FILE)
  expect(enrolled).toContain('is enrolled until')
  expect(enrolled).toContain(`next: andon-edge edge --config ${FILE}`)
  const { endpoints } = await plant.ask<{ endpoints: readonly (Endpoint & { profile: string })[] }>({
    ask: 'endpoints',
  })
  const wanted = endpoints.filter(({ device }) => names.includes(device))
  const devices = wanted.map(({ device, profile, modbus, opcua }) => {
    const where = modbus
      ? `    modbus: { host: ${modbus.host}, port: ${modbus.port}, unit: ${modbus.unit} }`
      : `    opcua: { url: "${opcua?.url}", trust: accept-first }`
    return `  - device: ${device}\n    profile: ${profile}\n${where}\n`
  })
  const file = join(box[arch], FILE)
  const written = readFileSync(file, 'utf8')
  expect(written).toContain('devices: []')
  writeFileSync(file, written.replace('devices: []\n', `devices:\n${devices.join('')}`))
  return readFileSync(file, 'utf8').trimEnd().split('\n').length
}

const commandsOf = (pid: number) =>
  descendants(pid).map((id) => readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').filter(Boolean))

describe.skipIf(!canRun)('the edge on a clean Debian, without Node, npm or a network', () => {
  beforeAll(async () => {
    await run('ip', ['netns', 'add', NETWORK])
    await run('ip', ['-n', NETWORK, 'link', 'set', 'lo', 'up'])
    const pack = run(process.execPath, [join(root, '.ci/package-edge.ts'), '--out', dir], { cwd: root })
    const [started] = await Promise.all([
      startPlant(),
      makeDebianRoot(box.x64, 'amd64'),
      makeDebianRoot(box.arm64, 'arm64').then(() =>
        cpSync('/usr/bin/qemu-aarch64-static', join(box.arm64, 'usr/bin/qemu-aarch64-static')),
      ),
      pack,
    ])
    plant = started
    for (const arch of ['x64', 'arm64'] as const) {
      mkdirSync(join(box[arch], 'opt/andon-edge'), { recursive: true })
      cpSync(archiveOf(arch), join(box[arch], 'tmp/edge.tar.gz'))
    }
  }, 300_000)

  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    await plant?.stop()
    if (canRun) await run('ip', ['netns', 'del', NETWORK])
    rmSync(dir, { recursive: true, force: true })
  })

  it('comes with its checksum, and with the licences of all that it holds', async () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const [sum, name] = readFileSync(`${archiveOf(arch)}.sha256`, 'utf8')
        .trim()
        .split('  ')
      const file = readFileSync(archiveOf(arch))
      expect([sum, name]).toEqual([createHash('sha256').update(file).digest('hex'), basename(archiveOf(arch))])
      const notices = readFileSync(join(dir, nameOf(arch), 'licences/packages.txt'), 'utf8')
      for (const part of [
        'node-opcua-client',
        'mqtt',
        '@bufbuild/protobuf',
        'pino',
        'typebox',
        'yaml',
        '@peculiar/x509',
      ])
        expect(notices).toMatch(new RegExp(`^  ${part} \\d+\\.\\d+\\.\\d+ — `, 'm'))
      expect(readFileSync(join(dir, nameOf(arch), 'licences/node.txt'), 'utf8')).toContain('Node.js')
    }
  })

  it('keeps the OPC UA library out of the agent, and that of serial ports in a file that is loaded on demand alone', () => {
    const app = join(dir, nameOf('x64'), 'app')
    const text = (name: string) => readFileSync(join(app, name), 'utf8')
    const files = readdirSync(app).filter((name) => name.endsWith('.mjs') && existsSync(join(app, `${name}.map`)))
    const holding = (part: string) =>
      files.filter((file) => {
        const { sources } = JSON.parse(text(`${file}.map`)) as { sources: string[] }
        return sources.some((source) => source.startsWith(`node_modules/${part}`))
      })
    expect(holding('node-opcua')).toEqual(['opcua-worker.mjs'])
    const serial = holding('modbus-serial')
    expect(serial).toHaveLength(1)
    const importing = (form: RegExp) =>
      files.filter((file) => [...text(file).matchAll(form)].some(([, to]) => to === serial[0]))
    expect(importing(/^import .*"\.\/([^"]+)";$/gm)).toEqual([])
    expect(importing(/import\("\.\/([^"]+)"\)/g)).toHaveLength(1)
  })

  it('is installed as its README says, on a system that has neither Node nor what Node is linked to', async () => {
    await inBox('x64', 'tar', '-xzf', '/tmp/edge.tar.gz', '-C', '/opt/andon-edge')
    await expect(inBox('x64', 'node', '--version')).rejects.toThrow()
    await expect(inBox('x64', `${homeOf('x64')}/bin/node`, '--version')).rejects.toThrow(/libatomic\.so\.1/)
    const { stdout } = await inBox('x64', `${homeOf('x64')}/install.sh`)
    expect(stdout).toContain(`${nameOf('x64')} is current`)
    expect((await inBox('x64', 'andon-edge', 'edge', '--help')).stdout).toMatch(/^usage: andon-edge edge --config FILE/)
    const ports = `require('${homeOf('x64')}/app/node_modules/@serialport/bindings-cpp').autoDetect()
      .open({ path: '/dev/ttyUSB9', baudRate: 9600 }).catch((error) => console.log(error.message))`
    const lib = `LD_LIBRARY_PATH=${homeOf('x64')}/lib`
    const serial = await inBox('x64', 'env', lib, `${homeOf('x64')}/bin/node`, '-e', ports)
    expect(serial.stdout).toContain('cannot open /dev/ttyUSB9')
    expect((await inBox('x64', 'readlink', '-f', '/usr/local/bin/andon-edge')).stdout.trim()).toBe(
      `${homeOf('x64')}/andon-edge`,
    )
  })

  it('enrols, and with a file of at most 20 lines sends values of a Modbus and an OPC UA device within five minutes', async () => {
    const startedAt = performance.now()
    expect(await connect('x64', 'line-50', ['meter-1', 'reactor-1'])).toBeLessThanOrEqual(20)
    expect(await types('x64', 'check', FILE)).toContain('good (edge; 3 addresses tried)')
    const agent = await startAgent('x64')
    const devices = ['meter-1', 'reactor-1']
    const good = await agent.ask<number>({ ask: 'values', edge: 'line-50', devices, withinMs: 120_000 })
    expect(good).toBeGreaterThan(10)
    expect(performance.now() - startedAt).toBeLessThan(300_000)
    const page = await agent.ask<{ status: number; text: string }>({ ask: 'page', ...agent.page })
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('meter-1')])
    const commands = commandsOf(agent.pid)
    expect(commands.map((words) => words.find((word) => word.endsWith('.mjs')))).toEqual([
      `${homeOf('x64')}/app/andon.mjs`,
      `${homeOf('x64')}/app/opcua-worker.mjs`,
    ])
    expect(await agent.stop()).toBe(0)
    expect(agent.text()).not.toMatch(/ERR_|ENOENT/)
  })

  it('goes to another version and back beside its data, and not to one that cannot read its file', async () => {
    const next = homeOf('x64').replace(version, '99.0.0')
    await inBox('x64', 'cp', '-al', homeOf('x64'), next)
    const current = () => basename(readlinkSync(join(box.x64, 'opt/andon-edge/current')))
    await inBox('x64', `${next}/install.sh`)
    expect(current()).toBe(basename(next))
    await inBox('x64', `${homeOf('x64')}/install.sh`)
    expect(current()).toBe(nameOf('x64'))
    expect(existsSync(join(box.x64, DATA, 'edge-data/identity/identity.pem'))).toBe(true)
    const file = join(box.x64, FILE)
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, `${good}colour: blue\n`)
    await expect(inBox('x64', `${next}/install.sh`)).rejects.toThrow(/nothing was changed/)
    expect(current()).toBe(nameOf('x64'))
    writeFileSync(file, good)
  })

  it('runs on arm64: it checks, enrols, reads a Modbus device and starts no process that it does not need', async () => {
    await run('tar', ['-xzf', join(box.arm64, 'tmp/edge.tar.gz'), '-C', join(box.arm64, 'opt/andon-edge')])
    mkdirSync(join(box.arm64, DATA), { recursive: true })
    await connect('arm64', 'line-51', ['meter-1'])
    expect(await types('arm64', 'check', '--offline', FILE)).toContain('good (edge; 2 addresses not tried)')
    const agent = await startAgent('arm64')
    const good = await agent.ask<number>({ ask: 'values', edge: 'line-51', devices: ['meter-1'], withinMs: 200_000 })
    expect(good).toBeGreaterThan(5)
    expect(commandsOf(agent.pid)).toHaveLength(1)
    expect(await agent.stop()).toBe(0)
  }, 300_000)
})
