import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Machine, provide, RING_PACKAGES, verdict } from './rings.ts'

/** A machine on which a package is there once apt-get has installed it, unless apt-get fails at a step. */
function machine(given: Partial<Machine> & { failsAt?: string } = {}) {
  const calls: string[] = []
  const { failsAt, ...rest } = given
  const it: Machine = {
    isCi: true,
    isRoot: true,
    has: (name) => calls.some((call) => call.startsWith('install') && call.endsWith(name)),
    apt: (args) => {
      if (args[0] === failsAt) return 'E: Unable to locate package\n'
      calls.push(args.join(' '))
      return undefined
    },
    ...rest,
  }
  return { it, calls }
}

describe('a Debian package that a ring needs', () => {
  it('is installed in CI', () => {
    const { it: ci, calls } = machine()
    expect(provide('mosquitto', ci)).toEqual({ state: 'there' })
    expect(calls).toEqual(['update -q', 'install -y -q --no-install-recommends mosquitto'])
  })

  it('is left alone when it is there', () => {
    const { it: ci, calls } = machine({ has: () => true })
    expect([provide('mosquitto', ci), calls]).toEqual([{ state: 'there' }, []])
  })

  it('is skipped elsewhere, in a sentence, and never installed', () => {
    const { it: desk, calls } = machine({ isCi: false })
    expect(provide('chromium', desk)).toEqual({
      state: 'skipped',
      sentence: 'skipped: the Debian package chromium is not installed',
    })
    expect(calls).toEqual([])
  })

  it('is a failure in CI for a user who may not install it', () => {
    expect(provide('influxdb', machine({ isRoot: false }).it)).toMatchObject({
      state: 'failed',
      sentence: expect.stringContaining('influxdb is missing: install it, or run as root'),
    })
  })

  it.each(['update', 'install'])('is a failure with the words of apt-get when its %s fails', (failsAt) => {
    const told = provide('mosquitto', machine({ failsAt }).it)
    expect(told).toMatchObject({ state: 'failed', sentence: expect.stringMatching(`apt-get ${failsAt}.*failed`) })
    expect(told).toMatchObject({ sentence: expect.stringContaining('E: Unable to locate package') })
  })

  it('is a failure when its program is nowhere after the install', () => {
    expect(provide('mosquitto', machine({ has: () => false }).it)).toMatchObject({
      state: 'failed',
      sentence: expect.stringContaining('not to be found'),
    })
  })

  it('is told for the chaos ring too, which runs a broker and a history engine', () => {
    expect(RING_PACKAGES.chaos).toEqual(['mosquitto', 'victoria-metrics', 'redis-server'])
  })
})

describe('the verdict on a run', () => {
  it('is a failure in CI when anything was skipped, and fine elsewhere', () => {
    const count = { passed: 5, failed: 0, skipped: 1 }
    expect(verdict(count, true)).toEqual({ line: expect.stringContaining('CI=true skips nothing'), code: 1 })
    expect(verdict(count, false)).toEqual({ line: '5 passed, 0 failed, 1 skipped', code: 0 })
  })

  it('is good in CI when all ran and passed, and bad when one failed or nothing ran', () => {
    expect(verdict({ passed: 5, failed: 0, skipped: 0 }, true).code).toBe(0)
    expect(verdict({ passed: 5, failed: 1, skipped: 0 }, false).code).toBe(1)
    expect(verdict({ passed: 0, failed: 0, skipped: 0 }, false).code).toBe(1)
  })
})

describe('npm test', () => {
  it('refuses a ring that there is not, instead of testing nothing', () => {
    const run = fileURLToPath(new URL('run.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [run, 'unot'], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain("there is no ring 'unot': unit, conformance, acceptance, chaos, browser")
  })
})
