import { afterEach, describe, expect, it, vi } from 'vitest'
import { modbus } from '#edge/drivers/modbus/index.ts'
import { type ScriptedServer, scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { silentLog } from '#shared/log/log.ts'
import { profile } from './testing/plant.ts'
import { createTraces, traceText } from './traces.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closers.splice(0).reverse()) await close()
})

/** A device on the wire with its driver, connected. */
async function device(server: ScriptedServer) {
  const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir: '/nonexistent' })
  const config = { host: '127.0.0.1', port: server.port, unit: 1, timeoutMs: 500, connectTimeoutMs: 1000 }
  const driver = protocol.createDriver({ device: 'press-1', profile, config })
  closers.push(async () => {
    await driver.close()
    await protocol.close()
  })
  await driver.connect(AbortSignal.timeout(5000))
  const read = (address: string) => {
    const tag = { tag: 'oil', name: { en: 'Oil', 'zh-CN': '油温' }, address, type: 'int16' as const }
    return driver.readNow?.('oil', driver.parseAddress(tag), AbortSignal.timeout(5000))
  }
  return { driver, read, lanes: () => protocol.lanes() }
}

async function plant() {
  const server = await scriptedServer()
  closers.push(() => server.close())
  server.registers.set(100, 61)
  const { driver, read, lanes } = await device(server)
  return { server, read, lanes, traces: createTraces(new Map([['press-1', driver]]), Date.now) }
}

describe('the trace of a device', () => {
  it('shows each request and reply with bytes and meaning', async () => {
    const { read, traces } = await plant()
    expect(traces.start('press-1')).toBe(true)
    await read('holding:100')
    const frames = traces.of('press-1')?.frames ?? []
    expect(frames.map(({ direction, meaning }) => [direction, meaning])).toEqual([
      ['sent', { en: 'read holding:100', 'zh-CN': '读取 holding:100' }],
      ['received', { en: '61', 'zh-CN': '61' }],
    ])
    const text = traceText(traces.of('press-1') ?? expect.fail('no trace'))
    expect(text).toMatch(/Z {2}> {2}01 03 00 64 00 01 {2}read holding:100\n.*Z {2}< {2}01 03 02 00 3d {2}61\n$/)
  })

  it('shows what was refused and what was never answered', async () => {
    const { server, read, traces } = await plant()
    traces.start('press-1')
    server.script = ({ transaction }) => {
      const frame = Buffer.from('000000000003018302', 'hex')
      frame.writeUInt16BE(transaction, 0)
      return frame
    }
    await read('holding:7')
    server.script = () => 'silence'
    await expect(read('holding:8')).rejects.toThrow()
    const told = traces.of('press-1')?.frames.map(({ direction, meaning }) => `${direction} ${meaning.en}`)
    expect(told?.[1]).toBe('received refused with exception 2')
    expect(told?.[3]).toMatch(/^failed .*did not answer within 500 ms/)
  })

  it('keeps the newest frames alone and says how many it forgot', async () => {
    const { read, traces } = await plant()
    traces.start('press-1')
    for (let i = 0; i < 1005; i++) await read('holding:100')
    expect(traces.of('press-1')).toMatchObject({ forgotten: 10, frames: { length: 2000 } })
  })

  it('switches itself off after ten minutes, and nothing is seen after that', async () => {
    const { read, traces } = await plant()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    traces.start('press-1')
    vi.advanceTimersByTime(600_000)
    vi.useRealTimers()
    await read('holding:100')
    expect(traces.of('press-1')).toMatchObject({ frames: [], until: undefined })
  })

  it('ends when another begins, and is not there for a device without frames', async () => {
    const { traces } = await plant()
    expect(traces.start('unknown')).toBe(false)
    traces.start('press-1')
    traces.stop()
    expect(traces.of('press-1')?.until).toBeUndefined()
    expect(traces.of('press-2')).toBeUndefined()
  })
})

describe('the round trips of a lane', () => {
  it('are counted by how long they took, with the median and the slowest of the latest', async () => {
    const { read, lanes } = await plant()
    for (let i = 0; i < 20; i++) await read('holding:100')
    const { buckets, p50Ms, p95Ms, sumMs } = lanes()[0]?.roundTrips ?? expect.fail('no round trips')
    expect(buckets.at(-1)).toEqual({ leMs: Infinity, count: 20 })
    expect(buckets.map(({ count }) => count)).toEqual(buckets.map(({ count }) => count).toSorted((a, b) => a - b))
    expect([p50Ms > 0, p95Ms >= p50Ms, sumMs >= p50Ms * 10]).toEqual([true, true, true])
  })
})
