import { NotConnectedError } from '../driver.ts'
import { NoReplyError } from './connection.ts'
import { FrameError } from './frame.ts'
import type { Holes } from './holes.ts'
import type { Lane, LaneRequest } from './lane.ts'
import { BUSY, BUSY_TRIES_MS, nextPauseMs } from './pauses.ts'
import { ModbusException, readReply } from './pdu.ts'
import { halves } from './plan.ts'
import { type PlannedBlock, planned, type Shelf } from './tag-plan.ts'

/** How long a probe of a silent unit waits for idle time before it counts as a fast scan, in ms. */
const PROBE_PATIENCE_MS = 60_000

/** One turn of reading under way. Times in ms; `now` is the wall clock, `deadlineAt` on the lane's. */
export interface Reader {
  readonly lane: Lane
  readonly unit: number
  readonly timeoutMs: number
  readonly pauseMs: number
  readonly holes: Holes
  readonly now: () => number
  readonly shelf: Shelf
  readonly priority: LaneRequest['priority']
  readonly deadlineAt: number
  readonly withinMs: number
  readonly signal: AbortSignal
}

/**
 * Reads a block onto the shelf, around the registers that the device refuses. Returns true when there was a refusal.
 * Throws NotConnectedError when the unit or the link is lost.
 */
export async function readBlock(reader: Reader, block: PlannedBlock): Promise<boolean> {
  if (isPaused(block, reader.now())) return giveUp(reader, block, block.fault)
  try {
    shelve(reader, block, await ask(reader, block.pdu))
    return false
  } catch (error) {
    if (error instanceof ModbusException) return refused(reader, block, error)
    throw lost(reader, error)
  }
}

/** The clock may have been set back: no pause is longer than it was meant. */
const isPaused = ({ pausedUntil, pauseMs }: PlannedBlock, now: number) =>
  pausedUntil > now && pausedUntil <= now + pauseMs

function shelve({ shelf, holes, now }: Reader, block: PlannedBlock, data: Buffer): void {
  const at = now()
  for (const span of block.spans) {
    shelf.replies[span.number] = data
    shelf.offsets[span.number] = span.start - block.start
    shelf.at[span.number] = at
    if (block.isProbe) holes.clear(span)
  }
  block.pauseMs = 0
  block.pausedUntil = 0
}

/** The data bytes of a reply. A unit that is silent, or falls silent now, is asked once more in idle time. */
async function ask(reader: Reader, pdu: Buffer): Promise<Buffer> {
  const { lane, unit } = reader
  if (lane.isSilent(unit)) return readReply(pdu, await probe(reader, pdu, PROBE_PATIENCE_MS))
  try {
    return await request(reader, pdu)
  } catch (error) {
    if (!(error instanceof NoReplyError)) throw error
    return readReply(pdu, await probe(reader, pdu, Math.max(reader.withinMs, reader.timeoutMs)))
  }
}

function probe({ lane, unit, timeoutMs, pauseMs, signal }: Reader, pdu: Buffer, patienceMs: number): Promise<Buffer> {
  return lane.request({ unit, pdu, timeoutMs, pauseMs, signal, priority: 'probe', deadlineAt: lane.now() + patienceMs })
}

/** Asks, and while the device is busy again after a short wait, as long as the turn has time. */
async function request(reader: Reader, pdu: Buffer, tries = 0): Promise<Buffer> {
  const { lane, unit, timeoutMs, pauseMs, priority, deadlineAt } = reader
  const afterMs = BUSY_TRIES_MS[tries - 1]
  const waiting = afterMs === undefined ? {} : { afterMs }
  const reply = await lane.request({ unit, pdu, timeoutMs, pauseMs, priority, deadlineAt, ...waiting })
  try {
    return readReply(pdu, reply)
  } catch (error) {
    const waitMs = BUSY_TRIES_MS[tries]
    const isBusy = error instanceof ModbusException && error.code === BUSY
    if (!isBusy || waitMs === undefined || lane.now() + waitMs >= deadlineAt) throw error
    return request(reader, pdu, tries + 1)
  }
}

/** What a failed request says of the device as a whole. */
function lost({ lane, unit }: Reader, error: unknown): unknown {
  if (error instanceof NoReplyError) return new NotConnectedError('silent', error.message, { cause: error })
  if (!(error instanceof FrameError)) return error
  lane.reset('not-the-protocol', error.message)
  const why = `Unit ${unit} gave a reply that cannot be used: ${error.message}`
  return new NotConnectedError('not-the-protocol', why, { cause: error })
}

/** 2: no such address; 3: count or range refused. Both may be the fault of one register among many. */
const isRegisterFault = ({ code }: ModbusException) => code === 2 || code === 3

async function refused(reader: Reader, block: PlannedBlock, error: ModbusException): Promise<boolean> {
  if (!isRegisterFault(error)) return pause(reader, block, error)
  const [first] = block.spans
  if (block.spans.length === 1 && first) {
    reader.holes.refuse(first, error.message, reader.now())
    return giveUp(reader, block, error.message)
  }
  const [left, right] = halves(block)
  const leftHasHole = await readBlock(reader, planned(left))
  const rightHasHole = await readBlock(reader, planned(right))
  const hasHole = leftHasHole || rightHasHole
  for (const span of right.spans.slice(0, hasHole ? 0 : 1)) reader.holes.cutBefore(span)
  return hasHole
}

function pause(reader: Reader, block: PlannedBlock, { code, message }: ModbusException): true {
  block.pauseMs = nextPauseMs(code, block.pauseMs)
  block.pausedUntil = reader.now() + block.pauseMs
  block.fault = message
  return giveUp(reader, block, message)
}

function giveUp({ shelf, now }: Reader, block: PlannedBlock, why: string): true {
  for (const span of block.spans) {
    shelf.faults[span.number] = why
    shelf.at[span.number] = now()
  }
  return true
}
