import { publish } from '#edge/acquisition/publish.ts'
import { type AnyDriver, NotConnectedError, type Reading, WriteError } from '#edge/drivers/driver.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { CommandOutcome } from '../uplink/uplink.ts'
import { shown } from './policy.ts'
import { isThere, MisfitError, rawOf, type Value } from './raw-value.ts'

/** A value that passed the policy, and where it goes. */
export interface Target {
  /** `device/tag` */
  readonly name: string
  readonly tag: ProfileTag
  /** As the tag is published. */
  readonly type: ScalarType
  readonly value: Value
  readonly expected: Scalar | undefined
  readonly address: unknown
  readonly driver: WritingDriver
}

/** A driver that can write and read back. */
export type WritingDriver = AnyDriver & Required<Pick<AnyDriver, 'readNow' | 'write'>>

/** What the device gave before and after, for the audit record. */
export interface Seen {
  before?: Scalar
  after?: Scalar
}

export interface WriteContext {
  /** Monotonic, ms. */
  readonly monotonic: () => number
  /** Resolves after so many ms, or as soon as the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
  /** Told when a value is on its way to the device. */
  readonly onWrite: (target: Target) => void
}

/** How long a device may take to show a value that it has taken, unless its profile tells. */
const SETTLE_MS = 1000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 320

const DONE: CommandOutcome = { status: 'done' }

/**
 * Writes values in their order: looks at all of them first, and writes nothing when one is not as the command expects; then
 * writes each and reads it back. Stops at the first that fails and says which were written. `seen` is filled on the way.
 */
export async function writeTags(
  targets: readonly Target[],
  seen: readonly Seen[],
  context: WriteContext,
): Promise<CommandOutcome> {
  const raws: Value[] = []
  for (const [i, target] of targets.entries()) {
    const looked = await lookFirst(target, seen[i] ?? {}, context)
    if ('outcome' in looked) return looked.outcome
    raws.push(looked.raw)
  }
  for (const [i, target] of targets.entries()) {
    const outcome = await writeOne({ target, raw: raws[i] as Value, seen: seen[i] ?? {} }, context)
    if (outcome.status !== 'done') return withWritten(outcome, targets.slice(0, i))
  }
  return DONE
}

function withWritten(outcome: CommandOutcome, written: readonly Target[]): CommandOutcome {
  if (written.length === 0) return outcome
  const names = written.map(({ name }) => name).join(', ')
  return { status: 'failed', error: `${outcome.error} Before that were written: ${names}.` }
}

type Looked = { readonly raw: Value } | { readonly outcome: CommandOutcome }

/** What stands there now: for the expected value, the device's own power of ten, and the audit record. */
async function lookFirst(target: Target, seen: Seen, context: WriteContext): Promise<Looked> {
  const { tag, name, expected } = target
  if (tag.write?.readBack === 'none' && expected === undefined && tag.scaleFactor === undefined)
    return rawOrRefusal(target, 0)
  const reading = await readOrLoss(target, context)
  if (reading instanceof NotConnectedError)
    return fail(`${name}: ${sentence(reading.message)} Nothing was written. ${TRY_AGAIN}`)
  const { sample } = reading
  seen.before = publish(sample, tag, target.type).value
  const isNeeded = tag.scaleFactor !== undefined || expected !== undefined
  if (sample.value === null && isNeeded) {
    return fail(
      `${name} cannot be read before it is written: ${sample.reason ?? 'no value'}. Nothing was written. ${TRY_AGAIN}`,
    )
  }
  return unexpected(target, reading) ?? rawOrRefusal(target, sample.exponent ?? 0)
}

const TRY_AGAIN = 'See to the device, then send it again under a new id.'
const sentence = (text: string) => (text.endsWith('.') ? text : `${text}.`)
const fail = (error: string): Looked => ({ outcome: { status: 'failed', error } })
const refuse = (error: string): Looked => ({ outcome: { status: 'refused', error } })

function rawOrRefusal({ name, tag, value }: Target, exponent: number): Looked {
  try {
    return { raw: rawOf(value, tag, exponent) }
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    return refuse(`${shown(value, tag)} cannot be written to ${name}: ${error.message}. Give another value.`)
  }
}

function unexpected({ name, tag, type, expected }: Target, { sample }: Reading): Looked | undefined {
  if (expected === undefined || expected === null || sample.value === null) return undefined
  const published = publish(sample, tag, type).value
  const raw = rawIfAny(expected, tag, sample.exponent ?? 0)
  const as = { published, tolerance: tag.write?.tolerance ?? 0 }
  if (raw !== undefined && isThere(sample.value, { raw, value: expected }, as)) return undefined
  return refuse(
    `${name} is ${shown(published, tag)} and not ${shown(expected, tag)} as the command expected. Nothing was written. Look at the value and, if it is still wanted, send it again under a new id.`,
  )
}

/** Undefined for an expected value that the tag could never have. */
function rawIfAny(value: Value, tag: ProfileTag, exponent: number): Value | undefined {
  try {
    return rawOf(value, tag, exponent)
  } catch (error) {
    if (error instanceof MisfitError) return undefined
    throw error
  }
}

async function readOrLoss({ tag, address, driver }: Target, { signal }: WriteContext) {
  try {
    return await driver.readNow(tag.tag, address, signal)
  } catch (error) {
    if (error instanceof NotConnectedError) return error
    throw error
  }
}

interface Writing {
  readonly target: Target
  readonly raw: Value
  readonly seen: Seen
}

async function writeOne(writing: Writing, context: WriteContext): Promise<CommandOutcome> {
  const { target, raw } = writing
  const { driver, name, address, tag } = target
  context.onWrite(target)
  let loss: NotConnectedError | undefined
  try {
    await driver.write(address, raw, context.signal)
  } catch (error) {
    if (error instanceof WriteError)
      return { status: 'failed', error: `${name} was not written. ${sentence(error.message)}` }
    if (!(error instanceof NotConnectedError)) throw error
    loss = error
  }
  if (tag.write?.readBack === 'none') return loss ? { status: 'failed', error: unsure(target, loss) } : DONE
  return confirm(writing, loss, context)
}

const unsure = ({ name, value, tag }: Target, { message }: NotConnectedError) =>
  `${shown(value, tag)} was sent to ${name} and may have been written or not: ${sentence(message)} Look at the value before it is sent again.`

/** Reads until the value is there or its time is over: a controller takes a value over with its next cycle. */
async function confirm(
  writing: Writing,
  loss: NotConnectedError | undefined,
  context: WriteContext,
): Promise<CommandOutcome> {
  const { tag } = writing.target
  const untilAt = context.monotonic() + (tag.write?.settleSeconds ?? SETTLE_MS / 1000) * 1000
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const fault = await readBack(writing, loss, context)
    if (fault === undefined) return DONE
    const leftMs = untilAt - context.monotonic()
    if (leftMs <= 0 || context.signal.aborted) return { status: 'failed', error: fault }
    await context.wait(Math.min(pauseMs, leftMs), context.signal)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** What is wrong with the value read back; undefined when it is the one written. */
async function readBack(
  { target, raw, seen }: Writing,
  loss: NotConnectedError | undefined,
  context: WriteContext,
): Promise<string | undefined> {
  const { name, tag, type, value } = target
  const reading = await readOrLoss(target, context)
  if (reading instanceof NotConnectedError) return unsure(target, loss ?? reading)
  const { sample } = reading
  const after = publish(sample, tag, type).value
  seen.after = after
  if (sample.value === null)
    return `${shown(value, tag)} was written to ${name}, which cannot be read back: ${sample.reason ?? 'no value'}. Set 'write: { readBack: none }' in its profile if that is its nature.`
  if (isThere(sample.value, { raw, value }, { published: after, tolerance: tag.write?.tolerance ?? 0 }))
    return undefined
  if (loss)
    return `${name} reads ${shown(after, tag)}: ${shown(value, tag)} did not reach it. ${sentence(loss.message)} ${TRY_AGAIN}`
  return `${name} reads ${shown(after, tag)} after ${shown(value, tag)} was written. The device took the write and did not keep it: see whether it is in local or manual mode or limits the value itself. If it only rounds, set 'write: { tolerance: … }' in its profile.`
}
