import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPackage } from '#tests/support/debian.ts'

const shipped = fileURLToPath(new URL('../../deploy/edge', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-service-'))
const INSTALLED = '/opt/andon-edge/current/andon-edge'

/** systemd's own judge over the unit in `dir`, with the program where it lies here. */
function analyze(...args: readonly string[]) {
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:`, SYSTEMD_COLORS: '0' }
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { env, encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

const exposure = (text: string) => Number(/Overall exposure level for \S+: ([\d.]+)/.exec(text)?.[1])
const place = (text: string) => writeFileSync(join(dir, 'andon-edge.service'), text)
const unit = () => readFileSync(join(shipped, 'systemd/andon-edge.service'), 'utf8')
const here = () => unit().replace(INSTALLED, join(shipped, 'andon-edge'))

beforeAll(() => place(here()))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.skipIf(!hasPackage('systemd'))('the service of the edge', () => {
  it('is understood by systemd word by word', () => {
    expect(unit()).toContain(`ExecStart=${INSTALLED} `)
    expect(analyze('verify', 'andon-edge.service')).toEqual({ status: 0, text: '' })
    place(here().replace('[Install]', 'Colour=blue\n[Install]'))
    expect(analyze('verify', 'andon-edge.service').text).toContain("Unknown key 'Colour'")
    place(here())
  })

  it('may do hardly anything: at most 1.5 of 10 by the count of systemd, 2 with serial ports', () => {
    const closed = analyze('security', '--offline=yes', join(dir, 'andon-edge.service')).text
    expect(exposure(closed)).toBeLessThanOrEqual(1.5)
    const withPorts = join(dir, 'root')
    mkdirSync(join(withPorts, 'etc/systemd/system/andon-edge.service.d'), { recursive: true })
    cpSync(join(dir, 'andon-edge.service'), join(withPorts, 'etc/systemd/system/andon-edge.service'))
    cpSync(join(shipped, 'systemd/serial.conf'), join(withPorts, 'etc/systemd/system/andon-edge.service.d/serial.conf'))
    const serial = analyze('security', '--offline=yes', `--root=${withPorts}`, 'andon-edge.service').text
    expect(serial).toMatch(/DeviceAllow=\s+Service has a device ACL with some special devices: .*char-ttyUSB:rw/)
    expect(exposure(serial)).toBeLessThanOrEqual(2)
  })
})
