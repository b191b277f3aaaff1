import { describe, expect, it } from 'vitest'
import { watchdogEveryMs } from './watchdog.ts'

describe('the watchdog of systemd', () => {
  const env = { WATCHDOG_USEC: '90000000', WATCHDOG_PID: '42', NOTIFY_SOCKET: '/run/systemd/notify' }

  it('is told three times in the time that it allows', () => {
    expect(watchdogEveryMs(env, 42)).toBe(30_000)
    expect(watchdogEveryMs({ ...env, WATCHDOG_PID: undefined }, 42)).toBe(30_000)
  })

  it('is left alone when there is none, or it waits for another process', () => {
    expect(watchdogEveryMs({}, 42)).toBeUndefined()
    expect(watchdogEveryMs({ ...env, NOTIFY_SOCKET: '' }, 42)).toBeUndefined()
    expect(watchdogEveryMs(env, 43)).toBeUndefined()
    expect(watchdogEveryMs({ ...env, WATCHDOG_USEC: '0' }, 42)).toBeUndefined()
  })
})
