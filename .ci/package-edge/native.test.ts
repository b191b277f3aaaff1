import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { NATIVE_PACKAGES } from './bundle.ts'
import { addNative } from './native.ts'
import { notices } from './notices.ts'
import type { Arch } from './runtime.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-native-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Lays the native packages for a machine and answers the paths of their programs, from the folder of the bundle. */
function laid(arch: Arch): {
  readonly out: string
  readonly programs: readonly string[]
  readonly folders: readonly string[]
} {
  const out = join(dir, arch)
  const folders = addNative(root, NATIVE_PACKAGES, { arch, out })
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' })
  return { out, folders, programs: files.filter((file) => file.endsWith('.node')) }
}

const E_MACHINE = { x64: 62, arm64: 183 } as const

describe('the native packages beside the bundle', () => {
  it.each(['x64', 'arm64'] as const)('hold the program for %s and for nothing else', (arch) => {
    const { out, programs } = laid(arch)
    expect(programs).toHaveLength(1)
    expect(readFileSync(join(out, programs[0] ?? '')).readUInt16LE(18)).toBe(E_MACHINE[arch])
  })

  it('are enough to ask for serial ports, without the checkout', () => {
    const { out } = laid(process.arch as Arch)
    const script = `const { autoDetect } = require('@serialport/bindings-cpp')
      autoDetect().open({ path: '/dev/no-such-port', baudRate: 9600 }).catch((error) => console.log(error.message))`
    const said = execFileSync(process.execPath, ['-e', script], { cwd: out, encoding: 'utf8' })
    expect(said).toContain('cannot open /dev/no-such-port')
  })

  it('stand in the notices with their licences', () => {
    expect(notices(laid('x64').folders)).toMatch(/^ {2}@serialport\/bindings-cpp \S+ — MIT$/m)
  })

  it('refuse a machine for which they have no program', () => {
    expect(() => addNative(root, NATIVE_PACKAGES, { arch: 'riscv64' as Arch, out: join(dir, 'other') })).toThrow(
      /has no program for linux-riscv64/,
    )
  })
})
