import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPlant } from '#devices/load-plant.ts'
import { type RunningPlant, startPlant } from '#devices/simulators/start-plant.ts'
import { loadProfile } from '#shared/config/profile.ts'
import { silentLog } from '#shared/log/log.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'andon-read-'))
let plant: RunningPlant
let place = ''

beforeAll(async () => {
  const file = join(folder, 'plant.yaml')
  writeFileSync(
    file,
    `version: 1
plant: roof
name: { en: Roof, zh-CN: 屋顶 }
profiles: ${join(root, 'devices/profiles')}
devices:
  - { device: inverter-1, profile: sunspec-inverter, modbus: { port: 0, unit: 126 }, machine: { model: solar-inverter } }
`,
  )
  plant = await startPlant({ loaded: loadPlant(file), dataDir: folder, speed: 1, log: silentLog, now: Date.now })
  place = `127.0.0.1:${plant.endpoints[0]?.modbus?.port}`
})
afterAll(async () => {
  await plant.close()
  rmSync(folder, { recursive: true })
})

/** Runs the command as a person does. */
async function andon(...args: string[]) {
  const child = spawn(process.execPath, ['andon.ts', ...args], { cwd: root })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

describe('andon read', () => {
  it('tells the registers and the value of one address', async () => {
    const { code, out } = await andon(
      'read',
      place,
      'holding:40004',
      '--unit',
      '126',
      '--type',
      'string',
      '--length',
      '16',
    )
    expect(out).toMatch(/registers {2}[0-9a-f]{4}.*\nraw .*\nvalue {6}\w+/s)
    expect(code).toBe(0)
  })

  it('tells what registers may mean, the most plausible first', async () => {
    const { code, out } = await andon('read', place, 'holding:40000', '--unit', '126', '--count', '2')
    expect(out).toContain("registers 5375 6e53\n→ string   high-low  'SunS'\n")
    expect(code).toBe(0)
  })

  it('says why there is no value, and ends with 1', async () => {
    const refused = await andon('read', place, 'holding:9', '--unit', '126', '--type', 'uint16')
    expect(refused).toMatchObject({
      code: 1,
      out: expect.stringContaining('the device has no such address (exception 2)'),
    })
    const silent = await andon('read', place, 'holding:9', '--unit', '7')
    expect(silent).toMatchObject({
      code: 1,
      err: expect.stringContaining('the unit behind the gateway does not answer'),
    })
  })

  it('ends with 2 when the call is wrong', async () => {
    expect(await andon('read', place, '40001')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not an address'),
    })
    expect(await andon('read', place)).toMatchObject({ code: 2 })
    expect(await andon('read', place, 'holding:1', '--type', 'real')).toMatchObject({ code: 2 })
  })
})

describe('andon sunspec', () => {
  it('turns the address of the simulated inverter into a profile that passes the check', async () => {
    const out = join(folder, 'found.yaml')
    const made = await andon('sunspec', place, '--unit', '126', '--out', out)
    expect(made).toMatchObject({ code: 0, err: expect.stringMatching(/^\d+ tags of /) })
    const profile = loadProfile(out)
    expect(profile).toMatchObject({ assetClass: 'inverter', machineState: { tag: 'state' } })
    const shipped = loadProfile(join(root, 'devices/profiles/sunspec-inverter.yaml'))
    const placeOf = (name: string) => shipped.tags.find(({ tag }) => tag === name)
    for (const name of ['ac-power', 'frequency', 'dc-voltage', 'state', 'serial-number']) {
      const { address, type, scaleFactor } = placeOf(name) ?? {}
      expect(profile.tags.find(({ tag }) => tag === name)).toMatchObject({
        address,
        type,
        ...(scaleFactor && { scaleFactor }),
      })
    }
    expect(readFileSync(out, 'utf8')).toContain("# Made by 'andon sunspec' from the models 1, 103 at 40000.")
    expect(await andon('check', out)).toMatchObject({ code: 0 })
  })

  it('says what to try when nothing of SunSpec is there', async () => {
    const { code, err } = await andon('sunspec', place, '--unit', '7')
    expect([code, err]).toEqual([1, expect.stringContaining('does not answer')])
  })
})
