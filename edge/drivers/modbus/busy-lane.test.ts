import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NotConnectedError } from '../driver.ts'
import { type Connection, NoReplyError } from './connection.ts'
import { createModbusDriver } from './driver.ts'
import { createHoles } from './holes.ts'
import { createLane, type Lane } from './lane.ts'

/** Each living unit is read once a second in two requests of 50 ms: nine of them need nine tenths of their lane. */
const CYCLE_MS = 1000
const REPLY_MS = 50
const LIVING = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const MORTAL = 10
const TIMEOUT_MS = 1000
/** Longer than the time after which a unit on other links is asked as patiently as a scan would. */
const OPEN_MS = 11 * 60_000
const signal = new AbortController().signal

/** Units behind one link on a clock that the test moves: all reply after the same time, and one of them may die. */
function plant() {
  const state = { isDead: false, isOpen: true, asked: [] as number[] }
  const connection: Connection = {
    request(unit, pdu, timeoutMs) {
      state.asked.push(unit)
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      const count = pdu.readUInt16BE(3)
      if (unit !== MORTAL || !state.isDead)
        setTimeout(resolve, REPLY_MS, Buffer.concat([Buffer.of(3, count * 2), Buffer.alloc(count * 2)]))
      else setTimeout(() => reject(new NoReplyError('no answer')), timeoutMs)
      return promise
    },
    get isOpen() {
      return state.isOpen
    },
    strayReplies: 0,
    close: () => {
      state.isOpen = false
    },
  }
  return { state, connection }
}

/** Resolves when everything that follows from the latest event has happened. */
const settle = () => new Promise<void>((done) => setImmediate(done))

async function until(at: number): Promise<void> {
  setTimeout(() => undefined, at - Date.now())
  await settle()
  while (Date.now() < at) {
    vi.advanceTimersToNextTimer()
    await settle()
  }
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

function driverOf(lane: Lane, unit: number) {
  const driver = createModbusDriver({
    ...{ lane, unit, timeoutMs: TIMEOUT_MS, maxGap: 0, maxBlock: 125, addressing: undefined, pauseMs: 0 },
    ...{ bitsFromZero: false, holes: createHoles(), now: Date.now },
  })
  const name = { en: 'x', 'zh-CN': 'x' }
  const tags = new Map(
    [0, 200].map((at) => [`t${at}`, driver.parseAddress({ tag: 't', name, address: `holding:${at}`, type: 'uint16' })]),
  )
  const read = () => driver.read(tags, { scan: 'normal', withinMs: CYCLE_MS, signal })
  return { driver, read }
}

/** Reads a unit once a cycle and keeps by how much each read ended after its cycle. */
async function scan(lane: Lane, unit: number, lateMs: number[]): Promise<void> {
  const { driver, read } = driverOf(lane, unit)
  await driver.connect(signal)
  for (let dueAt = Date.now(); ; dueAt += CYCLE_MS) {
    await pause(dueAt - Date.now())
    await read()
    lateMs.push(Math.max(0, Date.now() - dueAt - CYCLE_MS))
  }
}

/** Tries a unit that is dead as often as a supervisor does at most. */
async function tryAgain(lane: Lane, unit: number): Promise<void> {
  const { read } = driverOf(lane, unit)
  for (;;) {
    const error = await read().catch((lost: unknown) => lost)
    if (!(error instanceof NotConnectedError)) throw error
    await pause(CYCLE_MS)
  }
}

describe('a lane that its units need for nine tenths of the time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 }))
  afterEach(() => void vi.useRealTimers())

  it('is held up by one time-out when a unit dies, and no cycle of the others is late while its breaker is open', async () => {
    const { state, connection } = plant()
    const lane = createLane({
      ...{ name: 'modbus test', connect: async () => connection, inFlight: 1, hearsLate: true },
      now: () => Date.now(),
    })
    const lateMs: number[] = []
    const worst = () => Math.max(...lateMs.splice(0))
    const mortal = driverOf(lane, MORTAL).read()
    await until(CYCLE_MS)
    await mortal
    for (const unit of LIVING) void scan(lane, unit, lateMs)
    await until(30_000)
    expect(worst()).toBe(0)
    state.isDead = true
    void tryAgain(lane, MORTAL)
    await until(60_000)
    expect(worst()).toBeLessThanOrEqual(TIMEOUT_MS)
    const asked = state.asked.length
    await until(60_000 + OPEN_MS)
    expect(lateMs).toHaveLength((LIVING.length * OPEN_MS) / CYCLE_MS)
    expect(worst()).toBe(0)
    expect(lane.isSilent(MORTAL)).toBe(true)
    expect(state.asked.slice(asked).filter((unit) => unit === MORTAL).length).toBeGreaterThan(100)
  })
})
