/**
 * `npm test`: everything that must hold, in the order in which a fault is cheapest to find.
 * With CI=true it installs the Debian packages that the rings need, and anything skipped is a failure; elsewhere it skips and says so.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianProgram } from './debian.ts'
import { type Count, type Machine, provide, RING_PACKAGES, RINGS, type Ring, verdict } from './rings.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const isCi = process.env.CI === 'true'

/** The product's settings never leak into its tests: each test brings its own. */
const SETTINGS = /^(ANDON_|DATABASE_URL$|REDIS_URL$|MQTT_|INFLUX_|S3_URL$|SMTP_URL$)/
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)))

const total: { -readonly [K in keyof Count]: number } = { passed: 0, failed: 0, skipped: 0 }

function step(name: string, command: string, args: readonly string[]): void {
  const startedAt = Date.now()
  process.stdout.write(`\n=== ${name}\n`)
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  process.stdout.write(
    `=== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - startedAt) / 1000)} s\n`,
  )
  if (status === 0) total.passed += 1
  else total.failed += 1
}

/** Runs one ring with Vitest and adds its counts. */
function ring(name: Ring): void {
  const dir = mkdtempSync(join(tmpdir(), 'andon-ring-'))
  const report = join(dir, 'report.json')
  const startedAt = Date.now()
  process.stdout.write(`\n=== ring ${name}\n`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { status } = spawnSync(bin('vitest'), ['run', '--project', name, ...reporters], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  total.passed += counts.numPassedTests ?? 0
  total.failed += counts.numFailedTests ?? 0
  total.skipped += (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0)
  if (status !== 0 && !counts.numFailedTests) total.failed += 1
  rmSync(dir, { recursive: true, force: true })
  process.stdout.write(`=== ring ${name}: ${Math.round((Date.now() - startedAt) / 1000)} s\n`)
}

/** What stands between the rings and a machine: where programs are, and apt-get. */
const machine: Machine = {
  isCi,
  isRoot: process.getuid?.() === 0,
  has: (name) => debianProgram(name) !== undefined,
  apt: (args) => {
    const options = { encoding: 'utf8' as const, env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
    const { status, stdout, stderr, error } = spawnSync('apt-get', args, options)
    return status === 0 ? undefined : (error?.message ?? `${stdout}\n${stderr}`.slice(-2000))
  },
}

/** Looks for the packages of these rings; what cannot be had is told, and counts as a failure in CI. */
function provideAll(rings: readonly Ring[]): void {
  for (const name of new Set(rings.flatMap((ring) => RING_PACKAGES[ring]))) {
    const provided = provide(name, machine)
    if (provided.state === 'there') continue
    process.stdout.write(`${provided.sentence}\n`)
    if (provided.state === 'failed') total.failed += 1
  }
}

/** Every file the product ships that `andon check` can judge. */
function shippedFiles(): string[] {
  const folders = ['devices/profiles', 'devices/plants']
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(folder, name)),
  )
}

const only = process.argv[2]
const wanted = RINGS.filter((name) => only === undefined || only === name)
if (wanted.length === 0) {
  process.stderr.write(`npm test: there is no ring '${only}': ${RINGS.join(', ')}\n`)
  process.exit(2)
}
provideAll(wanted)

if (only === undefined) {
  step('sources run by type stripping: andon check', process.execPath, ['andon.ts', 'check', ...shippedFiles()])
  step('type check', bin('tsc'), ['-p', '.'])
  step('type check, console', bin('tsc'), ['-p', 'cloud/web'])
  step('type check, browser tests', bin('tsc'), ['-p', 'tests/acceptance/web'])
  step('lint and format', bin('biome'), ['ci', '.'])
  step('console build', process.execPath, ['.ci/build-console.ts'])
}
for (const name of wanted) {
  // Without its browser that ring has nothing to run; the others leave out single tests.
  if (name !== 'browser' || machine.has('chromium')) ring(name)
}

const { line, code } = verdict(total, isCi)
process.stdout.write(`\n${line}\n`)
process.exitCode = code
