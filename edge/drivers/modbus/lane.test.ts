import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openConnection } from './connection.ts'
import { createLane, type Lane, type LaneRequest } from './lane.ts'
import { readRequest } from './pdu.ts'
import { type Answer, exception, reply, type ScriptedServer, scriptedServer } from './testing/scripted-server.ts'

const signal = new AbortController().signal
let server: ScriptedServer
let lane: Lane

function laneOf(inFlight: number): Lane {
  const { port } = server
  return createLane({
    name: 'modbus test',
    connect: (abort, onStray) => openConnection({ host: '127.0.0.1', port, connectTimeoutMs: 10_000 }, abort, onStray),
    inFlight,
    hearsLate: true,
    now: () => performance.now(),
  })
}

beforeEach(async () => {
  server = await scriptedServer()
  lane = laneOf(1)
  lane.join()
})
afterEach(async () => {
  lane.leave()
  await server.close()
})

const ask = (start: number, of: Partial<LaneRequest> = {}) =>
  lane.request({
    ...{ unit: 1, timeoutMs: 10_000, priority: 'normal', deadlineAt: lane.now() + 60_000 },
    ...{ pdu: readRequest('holding', start, 1), ...of },
  })
const starts = () => server.requests.map((request) => request.start)

describe('a lane', () => {
  it('sends a write after the one request that is under way, however many scans wait', async () => {
    const held = Promise.withResolvers<() => void>()
    server.script = (request, socket) => {
      if (request.start !== 0) return undefined
      held.resolve(() => socket.write(reply(request, Buffer.from([0, 0]))))
      return 'silence'
    }
    const first = ask(0)
    const scans = [1, 2, 3].map((start) => ask(start, { priority: 'fast' }))
    const write = ask(9, { priority: 'write' })
    const test = ask(8, { priority: 'demand' })
    ;(await held.promise)()
    await Promise.all([first, write, test, ...scans])
    expect(starts()).toEqual([0, 9, 8, 1, 2, 3])
    expect(lane.status()).toMatchObject({ requests: 6, waiting: 0, overruns: 0 })
  })

  it('has so many requests under way as it was made for', async () => {
    lane.leave()
    lane = laneOf(3)
    lane.join()
    const held: (() => void)[] = []
    const three = Promise.withResolvers<void>()
    server.script = (request, socket) => {
      held.push(() => socket.write(reply(request, Buffer.from([0, request.start]))))
      if (held.length === 3) three.resolve()
      return 'silence'
    }
    const asked = [1, 2, 3, 4].map((start) => ask(start))
    await three.promise
    expect(starts()).toEqual([1, 2, 3])
    server.script = undefined
    for (const answer of held.reverse()) answer()
    expect((await Promise.all(asked)).map((pdu) => pdu.readUInt16BE(2))).toEqual([1, 2, 3, 0])
  })

  it('counts what was done later than it ought to have been', async () => {
    await ask(1, { deadlineAt: lane.now() - 1 })
    await ask(1)
    expect(lane.status()).toMatchObject({ overruns: 1 })
  })

  it('opens its link again for whoever waits, when the device closed it', async () => {
    server.script = () => 'reset'
    const first = ask(1)
    const second = ask(2)
    await expect(first).rejects.toThrow('closed the connection')
    server.script = undefined
    expect((await second).length).toBe(4)
  })

  it('takes a request out of the queue when its signal aborts', async () => {
    const held = Promise.withResolvers<() => void>()
    server.script = (request, socket) => {
      held.resolve(() => socket.write(reply(request, Buffer.from([0, 0]))))
      return 'silence'
    }
    const first = ask(1)
    const stopping = new AbortController()
    const second = ask(2, { signal: stopping.signal })
    const answer = await held.promise
    stopping.abort()
    await expect(second).rejects.toThrow('stopped while waiting')
    answer()
    await first
    expect(starts()).toEqual([1])
  })
})

describe('a unit that dies', () => {
  const dies = (answer: (request: Parameters<typeof exception>[0]) => Answer) => {
    server.script = (request) => (request.unit === 2 ? answer(request) : undefined)
  }

  it.each([
    ['without a word', () => 'silence' as const],
    ['by the word of its gateway, exception 10', (request: Parameters<typeof exception>[0]) => exception(request, 10)],
    ['by the word of its gateway, exception 11', (request: Parameters<typeof exception>[0]) => exception(request, 11)],
  ])('%s costs its lane one request, however much was queued for it', async (_, answer) => {
    dies(answer)
    const dead = [1, 2, 3].map((start) => ask(start, { unit: 2, timeoutMs: 50 }))
    const alive = [4, 5, 6].map((start) => ask(start))
    expect((await Promise.allSettled([...dead, ...alive])).map((one) => one.status)).toEqual([
      ...['rejected', 'rejected', 'rejected'],
      ...['fulfilled', 'fulfilled', 'fulfilled'],
    ])
    expect(starts()).toEqual([1, 4, 5, 6])
    expect(lane.isSilent(2)).toBe(true)
    expect(lane.status()).toMatchObject({ isOpen: true, silentUnits: [2] })
  })

  it('does not cost the others their link when several of its requests were under way together', async () => {
    lane.leave()
    lane = laneOf(4)
    lane.join()
    await Promise.all([1, 2].map((unit) => ask(1, { unit })))
    const held = Promise.withResolvers<() => void>()
    server.script = (request, socket) => {
      if (request.unit === 1) held.resolve(() => void socket.write(reply(request, Buffer.from([0, 7]))))
      return 'silence'
    }
    const dead = [1, 2, 3].map((start) => ask(start, { unit: 2, timeoutMs: 50 }))
    const alive = ask(4)
    await Promise.allSettled(dead)
    ;(await held.promise)()
    expect((await alive).readUInt16BE(2)).toBe(7)
    expect(lane.status()).toMatchObject({ isOpen: true, timeouts: 3, silentUnits: [2] })
  })

  it('is probed only when nobody else waits, and is back with its first reply', async () => {
    dies(() => 'silence')
    await expect(ask(1, { unit: 2, timeoutMs: 50 })).rejects.toThrow('did not answer within 50 ms')
    server.script = undefined
    const probe = ask(7, { unit: 2, timeoutMs: 50, priority: 'probe' })
    await probe
    expect(lane.isSilent(2)).toBe(false)
    const others = [ask(8), ask(9, { unit: 2, priority: 'probe' }), ask(10, { priority: 'slow' })]
    await Promise.all(others)
    expect(starts()).toEqual([1, 7, 8, 10, 9])
  })

  it('is asked patiently after a late reply, but not after the late word of a gateway that gave it up', async () => {
    const late: (() => void)[] = []
    server.script = (request, socket) => {
      if (request.unit !== 2) return undefined
      const answer = request.start === 1 ? exception(request, 11) : reply(request, Buffer.from([0, 0]))
      late.push(() => void socket.write(answer))
      return 'silence'
    }
    const probe = (start: number) => ask(start, { unit: 2, priority: 'probe' })
    await expect(ask(1, { unit: 2, timeoutMs: 50 })).rejects.toThrow('did not answer within 50 ms')
    late.pop()?.()
    await ask(5)
    expect(lane.status().strayReplies).toBe(1)
    await expect(probe(2)).rejects.toThrow('did not answer within 50 ms')
    late.pop()?.()
    await ask(5)
    const patient = probe(3)
    await vi.waitUntil(() => late.length > 0, { interval: 5 })
    setTimeout(() => late.pop()?.(), 100)
    await patient
    expect(lane.isSilent(2)).toBe(false)
  })

  it('is tried at once when a person asks for it', async () => {
    dies(() => 'silence')
    await expect(ask(1, { unit: 2, timeoutMs: 50 })).rejects.toThrow('did not answer')
    server.script = undefined
    await ask(2, { unit: 2, priority: 'demand' })
    expect(lane.isSilent(2)).toBe(false)
  })

  it('refuses a write at once instead of letting it wait', async () => {
    dies(() => 'silence')
    await expect(ask(1, { unit: 2, timeoutMs: 50 })).rejects.toThrow('did not answer')
    await expect(ask(2, { unit: 2, priority: 'write' })).rejects.toThrow('Unit 2 does not answer')
    expect(starts()).toEqual([1])
  })
})

describe('a link that gives no answer at all', () => {
  it('is opened again after three time-outs in a row, of whichever units', async () => {
    await Promise.all([1, 2, 3].map((unit) => ask(1, { unit })))
    server.script = () => 'silence'
    const asked = [1, 2, 3].map((unit) => ask(1, { unit, timeoutMs: 50 }))
    await Promise.allSettled(asked)
    expect(lane.status()).toMatchObject({ isOpen: false, timeouts: 3 })
    server.script = undefined
    await ask(1, { unit: 1, priority: 'probe' })
    expect(lane.status()).toMatchObject({ isOpen: true, silentUnits: [2, 3] })
    await lane.open(signal)
  })
})
