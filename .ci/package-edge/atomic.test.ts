import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { atomicLibrary, SONAME } from './atomic.ts'
import { type Arch, RUNTIME } from './runtime.ts'

const dir = mkdtempSync(join(tmpdir(), 'andon-atomic-'))
const env = { ...process.env, LD_LIBRARY_PATH: dir, NODE_NO_WARNINGS: '1' }
const isLinux = process.platform === 'linux'

beforeAll(() => writeFileSync(join(dir, SONAME), atomicLibrary(process.arch as Arch)))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Compares and exchanges through the library, as V8 does, in a Node that itself runs on it. */
const CALLS = `
  const { dlopen, getRawPointer } = require('node:ffi')
  const { functions } = dlopen(${JSON.stringify(join(dir, SONAME))}, {
    __atomic_compare_exchange: { arguments: ['u64', 'pointer', 'pointer', 'pointer', 'i32', 'i32'], return: 'u8' },
  })
  const place = (value) => new BigUint64Array([value])
  const call = (memory, expected, desired) => {
    const [m, e, d] = [place(memory), place(expected), place(desired)]
    const done = functions.__atomic_compare_exchange(8n, ...[m, e, d].map((a) => getRawPointer(a.buffer)), 5, 5)
    return [done, m[0], e[0], d[0]].map(String)
  }
  console.log(JSON.stringify([call(7n, 7n, 2n ** 63n), call(7n, 8n, 9n)]))
`

describe.skipIf(!isLinux)('the library that Node asks for', () => {
  it('exchanges what is as expected, and else tells what is there', () => {
    const [done, refused] = JSON.parse(execFileSync(process.execPath, ['-e', CALLS], { env, encoding: 'utf8' }))
    expect(done).toEqual(['1', String(2n ** 63n), '7', String(2n ** 63n)])
    expect(refused).toEqual(['0', '7', '7', '9'])
  })

  it('is the one that Node loads, with the version of the symbol that it names', () => {
    const debug = { ...env, LD_DEBUG: 'libs,versions', LD_DEBUG_OUTPUT: join(dir, 'loader') }
    execFileSync(process.execPath, ['-e', '0'], { env: debug })
    const text = execFileSync('sh', ['-c', `cat ${dir}/loader.*`], { encoding: 'utf8' })
    expect(text).toContain(`calling init: ${join(dir, SONAME)}`)
    expect(text).toContain(`checking for version \`LIBATOMIC_1.0' in file ${join(dir, SONAME)}`)
  })

  it('holds all that this Node asks of it', () => {
    const node = readFileSync(process.execPath)
    const names = new Set<string>()
    for (let at = node.indexOf('\0__atomic_'); at >= 0; at = node.indexOf('\0__atomic_', at + 1)) {
      const name = node.toString('latin1', at + 1, at + 60)
      names.add(/^\w+/.exec(name)?.[0] ?? '')
    }
    expect([process.versions.node, [...names]]).toEqual([RUNTIME.version, ['__atomic_compare_exchange']])
  }, 60_000)
})
