/**
 * `npm test`: everything that must hold, in the order in which a fault is cheapest to find.
 * With CI=true it installs the Debian packages that a ring needs; elsewhere it skips the ring and says so.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const isCi = process.env.CI === 'true'

/** The product's settings never leak into its tests: each test brings its own. */
const SETTINGS = /^(ANDON_|DATABASE_URL$|REDIS_URL$|MQTT_URL$|INFLUX_|S3_URL$|SMTP_URL$)/
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)))

interface Count {
  passed: number
  failed: number
  skipped: number
}
const total: Count = { passed: 0, failed: 0, skipped: 0 }

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
function ring(name: string): void {
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

const has = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** True when the Debian package's command is there, or could be installed. */
function ensure(command: string, debianPackage: string): boolean {
  if (has(command)) return true
  if (!isCi) {
    process.stdout.write(`skipped: ${command} is not installed (Debian package ${debianPackage})\n`)
    return false
  }
  if (process.getuid?.() !== 0) {
    process.stdout.write(
      `FAILED: CI=true needs ${command}; install the Debian package ${debianPackage} or run as root\n`,
    )
    total.failed += 1
    return false
  }
  const apt = { stdio: 'ignore' as const, env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  execFileSync('apt-get', ['update', '-q'], apt)
  execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', debianPackage], apt)
  return has(command)
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
const wants = (name: string) => only === undefined || only === name

if (only === undefined) {
  step('sources run by type stripping: andon check', process.execPath, ['andon.ts', 'check', ...shippedFiles()])
  step('type check', bin('tsc'), ['-p', '.'])
  step('type check, console', bin('tsc'), ['-p', 'cloud/web'])
  step('type check, browser tests', bin('tsc'), ['-p', 'tests/acceptance/web'])
  step('lint and format', bin('biome'), ['ci', '.'])
  step('console build', process.execPath, ['.ci/build-console.ts'])
}
// The contracts of broker and historian run against these too; without one its tests are left out.
if (wants('conformance')) {
  ensure('mosquitto', 'mosquitto')
  ensure('victoria-metrics', 'victoria-metrics')
  ensure('influxd', 'influxdb')
}
for (const name of ['unit', 'conformance', 'acceptance', 'chaos']) if (wants(name)) ring(name)
if (wants('browser') && ensure('chromium', 'chromium')) ring('browser')

process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed === 0 ? 0 : 1
