import { BAD, GOOD } from '#shared/contracts/sample.ts'
import { NotConnectedError, type PolledDriver, type Sample, type Turn } from '../driver.ts'
import { isBitArea, type ModbusAddress, parseModbusAddress, type Span } from './address.ts'
import { NoReplyError } from './connection.ts'
import { decodeBit, decodeRegisters } from './decode.ts'
import { FrameError } from './frame.ts'
import { createHoles, type Holes } from './holes.ts'
import type { Lane, LaneRequest } from './lane.ts'
import { ModbusException, readReply, readRequest } from './pdu.ts'
import { type Block, planReads, spanKey } from './plan.ts'

/** What a Modbus driver needs of its device. Times in ms. */
export interface ModbusDriverOptions {
  readonly lane: Lane
  readonly unit: number
  readonly timeoutMs: number
  readonly maxGap: number
  readonly maxBlock: number
  readonly addressing: Parameters<typeof parseModbusAddress>[1]
  /** Wall clock, ms since 1970. */
  readonly now: () => number
}

/** What one span gave: its bytes (or its bit) and when, or why it gave nothing. */
type Reading =
  | { readonly bytes: Buffer; readonly at: number }
  | { readonly bit: boolean; readonly at: number }
  | { readonly fault: string; readonly at: number }

type Readings = Map<string, Reading>

interface Session {
  readonly options: ModbusDriverOptions
  readonly holes: Holes
}

/** Speaks Modbus TCP to one unit over a lane that it may share with others. */
export function createModbusDriver(options: ModbusDriverOptions): PolledDriver<ModbusAddress> {
  const session: Session = { options, holes: createHoles() }
  const plan = planner(session)
  let hasJoined = false
  return {
    kind: 'polled',
    parseAddress: (tag) => parseModbusAddress(tag, options.addressing),
    async connect(signal) {
      if (!hasJoined) options.lane.join()
      hasJoined = true
      await options.lane.open(signal)
    },
    async read(tags, turn) {
      const readings: Readings = new Map()
      const order = orderOf(options.lane, turn)
      const all = () => [...tags].map(([tag, address]) => sampleOf(tag, address, { session, readings }))
      try {
        for (const block of plan(tags)) await readBlock(session, block, { readings, order })
      } catch (error) {
        throw error instanceof NotConnectedError ? withWhatWasRead(error, all()) : error
      }
      return all()
    },
    async close() {
      if (hasJoined) options.lane.leave()
      hasJoined = false
    },
  }
}

/** Place in the lane's order. */
type Order = Pick<LaneRequest, 'priority' | 'deadlineAt'>

const orderOf = (lane: Lane, { scan, withinMs }: Turn): Order => ({
  priority: scan,
  deadlineAt: lane.now() + withinMs,
})

/** One read() under way. */
interface Reader {
  readonly readings: Readings
  readonly order: Order
}

/** The device gave these values, whatever became of the block that was asked for next. */
function withWhatWasRead(error: NotConnectedError, samples: readonly Sample[]): NotConnectedError {
  const readBefore = samples.filter(({ quality }) => quality === GOOD)
  return new NotConnectedError(error.kind, error.message, { cause: error.cause, readBefore })
}

/** Plans a set of tags once and again only when the device has been found to refuse something. */
function planner({ options, holes }: Session) {
  const plans = new WeakMap<ReadonlyMap<string, ModbusAddress>, { version: number; spans: Span[]; blocks: Block[] }>()
  return (tags: ReadonlyMap<string, ModbusAddress>): Block[] => {
    let plan = plans.get(tags)
    if (plan?.version !== holes.version) {
      const spans = [...tags.values()].flatMap(({ span, scaleFactor }) => (scaleFactor ? [span, scaleFactor] : [span]))
      const wanted = spans.filter((span) => holes.reasonOf(span) === undefined)
      const limits = { maxGap: options.maxGap, maxBlock: options.maxBlock, holes: holes.spans(), cuts: holes.cuts }
      plan = { version: holes.version, spans, blocks: planReads(wanted, limits) }
      plans.set(tags, plan)
    }
    const probes = holes.due(plan.spans, options.now()).map(blockOf)
    return probes.length === 0 ? plan.blocks : [...plan.blocks, ...probes]
  }
}

const blockOf = (span: Span): Block => ({ area: span.area, start: span.start, count: span.width, spans: [span] })

/** Reads a block into `readings`. Returns true when a span of it turned out to be refused. */
async function readBlock(session: Session, block: Block, reader: Reader): Promise<boolean> {
  try {
    const bytes = await ask(session.options, block, reader.order)
    const at = session.options.now()
    for (const span of block.spans) {
      reader.readings.set(spanKey(span), readingOf(bytes, block, { span, at }))
      session.holes.clear(span)
    }
    return false
  } catch (error) {
    if (!(error instanceof ModbusException)) throw error
    return refused(session, block, { ...reader, error })
  }
}

async function ask({ lane, unit, timeoutMs }: ModbusDriverOptions, block: Block, order: Order): Promise<Buffer> {
  const pdu = readRequest(block.area, block.start, block.count)
  try {
    return readReply(pdu, await lane.request({ unit, pdu, timeoutMs, ...order }))
  } catch (error) {
    if (error instanceof NoReplyError) throw new NotConnectedError('silent', error.message, { cause: error })
    if (error instanceof ModbusException && isUnitGone(error))
      throw new NotConnectedError('silent', `Unit ${unit}: ${error.message}`)
    if (!(error instanceof FrameError)) throw error
    lane.reset('not-the-protocol', error.message)
    const why = `Unit ${unit} gave a reply that cannot be used: ${error.message}`
    throw new NotConnectedError('not-the-protocol', why, { cause: error })
  }
}

const isUnitGone = ({ code }: ModbusException) => code === 10 || code === 11
/** 2: no such address; 3: count or range refused. Both may be the fault of one register among many. */
const isRegisterFault = ({ code }: ModbusException) => code === 2 || code === 3

interface Refusal extends Reader {
  readonly error: ModbusException
}

async function refused(session: Session, block: Block, refusal: Refusal): Promise<boolean> {
  const { error } = refusal
  if (!isRegisterFault(error)) return giveUp(session, block, refusal)
  if (block.spans.length === 1) {
    for (const span of block.spans) session.holes.refuse(span, error.message, session.options.now())
    return giveUp(session, block, refusal)
  }
  const [left, right] = halves(block)
  const leftHasHole = await readBlock(session, left, refusal)
  const rightHasHole = await readBlock(session, right, refusal)
  const hasHole = leftHasHole || rightHasHole
  for (const first of right.spans.slice(0, hasHole ? 0 : 1)) session.holes.cutBefore(first)
  return hasHole
}

function giveUp({ options }: Session, block: Block, { readings, error }: Refusal): true {
  for (const span of block.spans) readings.set(spanKey(span), { fault: error.message, at: options.now() })
  return true
}

function halves({ spans }: Block): [Block, Block] {
  const middle = spans.length >> 1
  return [tight(spans.slice(0, middle)), tight(spans.slice(middle))]
}

/** The smallest block around spans of one area. */
function tight(spans: readonly Span[]): Block {
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.start + span.width))
  return { area: spans[0]?.area ?? 'holding', start, count: end - start, spans }
}

function readingOf(bytes: Buffer, block: Block, { span, at }: { span: Span; at: number }): Reading {
  const offset = span.start - block.start
  if (isBitArea(span.area)) return { bit: decodeBit(bytes, offset), at }
  return { bytes: bytes.subarray(offset * 2, (offset + span.width) * 2), at }
}

function sampleOf(tag: string, address: ModbusAddress, source: { session: Session; readings: Readings }): Sample {
  const reading = lookUp(address.span, source)
  if ('fault' in reading)
    return { tag, value: null, quality: BAD, sourceAt: reading.at, reason: words(address, reading.fault) }
  if ('bit' in reading) return { tag, value: reading.bit, quality: GOOD, sourceAt: reading.at }
  const value = decodeRegisters(reading.bytes, address)
  const good: Sample = { tag, value, quality: GOOD, sourceAt: reading.at }
  return address.scaleFactor ? withExponent(good, lookUp(address.scaleFactor, source), address) : good
}

const words = (address: ModbusAddress, fault: string) => `${address.written}: ${fault}`

function lookUp(span: Span, { session, readings }: { session: Session; readings: Readings }): Reading {
  const reading = readings.get(spanKey(span))
  if (reading) return reading
  return { fault: session.holes.reasonOf(span) ?? 'not read', at: session.options.now() }
}

/** SunSpec scale factors are int16 powers of ten from −10 to 10; 0x8000 means that there is none. */
function withExponent(sample: Sample, reading: Reading, address: ModbusAddress): Sample {
  const bad = (why: string): Sample => ({ ...sample, value: null, quality: BAD, reason: words(address, why) })
  if (!('bytes' in reading)) return bad('its scale factor cannot be read')
  const exponent = reading.bytes.readInt16BE(0)
  if (exponent < -10 || exponent > 10) return bad(`the device gives no usable scale factor (${exponent})`)
  return { ...sample, exponent }
}
