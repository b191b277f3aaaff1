import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import { NotConnectedError, type PolledDriver, type Sample, type Turn } from '../driver.ts'
import { readNow, writeNow } from './access.ts'
import { forbiddenSpans, type ModbusAddress, parseModbusAddress } from './address.ts'
import type { Holes } from './holes.ts'
import type { Lane } from './lane.ts'
import { nameOf, tracedFrame } from './meaning.ts'
import { type Reader, readBlock } from './read-block.ts'
import { samplesOf } from './samples.ts'
import { blocksOf, type Placed, type PlannedBlock, placeTags, planTags, type Shelf, type TagPlan } from './tag-plan.ts'

/** What a Modbus driver needs of its device. Times in ms. */
export interface ModbusDriverOptions {
  readonly lane: Lane
  readonly unit: number
  readonly timeoutMs: number
  readonly maxGap: number
  readonly maxBlock: number
  readonly addressing: Parameters<typeof parseModbusAddress>[1]
  /** What the devices of a profile have in common. */
  readonly shared?: SharedPlanning
  /** Least time between the last reply over the lane and a request, in ms. */
  readonly pauseMs: number
  /** Coils and discrete inputs are always read from address 0 on. */
  readonly bitsFromZero: boolean
  /** What the device is known to refuse. */
  readonly holes: Holes
  /** Wall clock, ms since 1970. */
  readonly now: () => number
}

/** What was worked out for one device and holds for each of the same profile. */
export interface SharedPlanning {
  readonly addresses: WeakMap<ProfileTag, ModbusAddress>
  readonly placed: WeakMap<ReadonlyMap<string, ModbusAddress>, Placed>
}

export const sharedPlanning = (): SharedPlanning => ({ addresses: new WeakMap(), placed: new WeakMap() })

/** Speaks Modbus to one unit over a lane that it may share with others. */
export function createModbusDriver(options: ModbusDriverOptions): PolledDriver<ModbusAddress> {
  const { lane, holes, now } = options
  const planOf = planner(options)
  const access = { ...options, quirks: options.addressing?.quirks }
  let hasJoined = false
  return {
    kind: 'polled',
    parseAddress: (tag) => addressOf(options, tag),
    async connect(signal) {
      if (!hasJoined) lane.join()
      hasJoined = true
      await lane.open(signal)
    },
    async read(tags, turn) {
      const plan = planOf(tags)
      clear(plan.shelf)
      try {
        await readBlocks(readerOf(options, plan, turn), blocksOf(plan, holes, now()))
      } catch (error) {
        throw error instanceof NotConnectedError ? withWhatWasRead(error, samplesOf(plan, holes, now())) : error
      }
      const samples = samplesOf(plan, holes, now())
      hearFirmware(options, tags, samples)
      return samples
    },
    readNow: (tag, address, signal) => readNow(access, { tag, address, signal }),
    quarantined: () => holes.list().map(({ span, reason, probeAt }) => ({ address: nameOf(span), reason, probeAt })),
    trace: (onFrame) => lane.tap(options.unit, (exchange) => onFrame({ at: now(), ...tracedFrame(exchange) })),
    write: (address, value, signal) => writeNow(access, address, value, signal),
    async close() {
      if (hasJoined) lane.leave()
      hasJoined = false
    },
  }
}

function addressOf({ addressing, shared }: ModbusDriverOptions, tag: ProfileTag): ModbusAddress {
  const address = shared?.addresses.get(tag) ?? parseModbusAddress(tag, addressing)
  shared?.addresses.set(tag, address)
  return address
}

/** Another firmware may have other registers. Devices that do not implement a text leave it empty. */
function hearFirmware(
  { addressing, holes }: ModbusDriverOptions,
  tags: ReadonlyMap<string, ModbusAddress>,
  samples: readonly Sample[],
): void {
  const told = addressing?.firmware
  if (told === undefined || !tags.has(told)) return
  const sample = samples.find(({ tag }) => tag === told)
  if (sample?.quality === GOOD && sample.value !== '') holes.runsOn(String(sample.value))
}

function placedOf({ shared }: ModbusDriverOptions, tags: ReadonlyMap<string, ModbusAddress>): Placed {
  const placed = shared?.placed.get(tags) ?? placeTags(tags)
  shared?.placed.set(tags, placed)
  return placed
}

/** Plans a set of tags once and again only when the device has been found to refuse something. */
function planner(options: ModbusDriverOptions) {
  const plans = new WeakMap<ReadonlyMap<string, ModbusAddress>, TagPlan>()
  const { maxGap, maxBlock, bitsFromZero } = options
  const limits = { maxGap, maxBlock, bitsFromZero, forbidden: forbiddenSpans(options.addressing) }
  return (tags: ReadonlyMap<string, ModbusAddress>): TagPlan => {
    const known = plans.get(tags)
    if (known?.version === options.holes.version) return known
    const plan = planTags(placedOf(options, tags), options.holes, limits)
    plans.set(tags, plan)
    return plan
  }
}

function clear({ replies, faults }: Shelf): void {
  replies.fill(undefined)
  faults.fill(undefined)
}

function readerOf(
  { lane, unit, timeoutMs, pauseMs, holes, now }: ModbusDriverOptions,
  { shelf }: TagPlan,
  { scan, withinMs, signal }: Turn,
): Reader {
  const deadlineAt = lane.now() + withinMs
  return { lane, unit, timeoutMs, pauseMs, holes, now, shelf, priority: scan, deadlineAt, withinMs, signal }
}

/** Asks for one block after the other, or for so many at a time as the lane lets through. */
async function readBlocks(reader: Reader, blocks: readonly PlannedBlock[]): Promise<void> {
  const left = blocks.values()
  const readers = Math.min(reader.lane.inFlight, blocks.length)
  await Promise.all(Array.from({ length: readers }, () => readNext(reader, left)))
}

async function readNext(reader: Reader, left: Iterator<PlannedBlock>): Promise<void> {
  for (let next = left.next(); !next.done; next = left.next()) {
    if (reader.signal.aborted) throw new NotConnectedError('closed', 'stopped while reading')
    await readBlock(reader, next.value)
  }
}

/** The device gave these values, whatever became of the block that was asked for next. */
function withWhatWasRead(error: NotConnectedError, samples: readonly Sample[]): NotConnectedError {
  const readBefore = samples.filter(({ quality }) => quality === GOOD)
  return new NotConnectedError(error.kind, error.message, { cause: error.cause, readBefore })
}
