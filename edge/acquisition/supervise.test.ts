import { describe, expect, it } from 'vitest'
import { NotConnectedError, type PolledDriver, type Sample } from '#edge/drivers/driver.ts'
import { createLog, silentLog } from '#shared/log/log.ts'
import { type SuperviseOptions, supervise } from './supervise.ts'

const sample: Sample = { tag: 't', value: 1, quality: 192, sourceAt: 0 }
const TAGS = new Map([['t', 'address']])

/** A protocol of nothing but a script: each read takes the next step of it. */
function driverOf(steps: (() => Sample[] | Promise<Sample[]>)[], calls: string[]): PolledDriver<unknown> {
  return {
    kind: 'polled',
    parseAddress: () => 'address',
    connect: async () => void calls.push('connect'),
    read: async () => {
      calls.push('read')
      return (await steps.shift()?.()) ?? [sample]
    },
    close: async () => void calls.push('close'),
  }
}

function optionsOf(driver: PolledDriver<unknown>, of: Partial<SuperviseOptions> = {}): SuperviseOptions {
  return {
    driver,
    groups: [{ scan: 'normal', periodMs: 10, tags: TAGS }],
    backOff: { next: () => 1, reset: () => undefined },
    monotonic: () => performance.now(),
    owner: { ...QUIET, onSamples: async () => undefined, onLost: async () => undefined, onOverrun: () => undefined },
    log: silentLog,
    ...of,
  }
}

const QUIET = { onPast: async () => undefined, onMissed: async () => undefined, onConditions: async () => undefined }

describe('the supervisor of a device', () => {
  it('closes a lost link before it connects again, and is told why once each time', async () => {
    const calls: string[] = []
    const stopping = new AbortController()
    const lost = () => {
      throw new NotConnectedError('closed', 'gone')
    }
    const end = () => {
      stopping.abort()
      return [sample]
    }
    const driver = driverOf([() => [sample], lost, lost, end], calls)
    const errors: string[] = []
    const owner = {
      ...QUIET,
      onSamples: async () => undefined,
      onLost: async (error: Error) => void errors.push(error.message),
      onOverrun: () => undefined,
    }
    await supervise(optionsOf(driver, { owner }), stopping.signal)
    expect(calls.join(' ')).toBe('connect read read close connect read close connect read close')
    expect(errors).toEqual(['gone', 'gone'])
  })

  it('accepts what a read gave before it lost the device, and tells the loss after that', async () => {
    const stopping = new AbortController()
    const told: string[] = []
    const half = () => {
      throw new NotConnectedError('silent', 'gone', { readBefore: [{ ...sample, value: 2 }] })
    }
    const owner = {
      ...QUIET,
      onSamples: async (samples: readonly Sample[]) => void told.push(...samples.map((s) => `value ${s.value}`)),
      onLost: async () => {
        told.push('lost')
        stopping.abort()
      },
      onOverrun: () => undefined,
    }
    await supervise(optionsOf(driverOf([() => [sample], half], []), { owner }), stopping.signal)
    expect(told).toEqual(['value 1', 'value 2', 'lost'])
  })

  it('does not take a device for alive that has not answered one whole scan', async () => {
    const stopping = new AbortController()
    const told: string[] = []
    const half = () => {
      throw new NotConnectedError('silent', 'gone', { readBefore: [sample] })
    }
    const owner = {
      ...QUIET,
      onSamples: async () => void told.push('value'),
      onLost: async () => {
        told.push('lost')
        stopping.abort()
      },
      onOverrun: () => undefined,
    }
    await supervise(optionsOf(driverOf([half], []), { owner }), stopping.signal)
    expect(told).toEqual(['lost'])
  })

  it('counts the scans that a slow device leaves out instead of piling them up', async () => {
    const stopping = new AbortController()
    let now = 0
    const slow = () => {
      now += 55
      return [sample]
    }
    const end = () => {
      stopping.abort()
      return [sample]
    }
    let overruns = 0
    const owner = {
      ...QUIET,
      onSamples: async () => undefined,
      onLost: async () => undefined,
      onOverrun: (count: number) => {
        overruns += count
      },
    }
    const driver = driverOf([() => [sample], slow, end], [])
    await supervise(optionsOf(driver, { owner, monotonic: () => now }), stopping.signal)
    expect(overruns).toBe(3)
  })

  it('survives a driver that fails in a way it should not, and says so as an error', async () => {
    const lines: string[] = []
    const log = createLog({ program: 't', destination: { write: (line: string) => void lines.push(line) } })
    const stopping = new AbortController()
    const bug = () => {
      throw new TypeError('x is not a function')
    }
    const end = () => {
      stopping.abort()
      return [sample]
    }
    await supervise(optionsOf(driverOf([bug, end], []), { log }), stopping.signal)
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 50, err: { message: 'x is not a function' } })
  })
})
