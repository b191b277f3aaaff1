import { randomUUID } from 'node:crypto'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Log } from '#shared/log/log.ts'
import type { AnyDriver } from '../drivers/driver.ts'
import type { CommandOutcome, EdgeCommand, TagWrite } from '../uplink/uplink.ts'
import { type RecordedWrite, recorded, type WriteLedger, type WriteRecord } from './ledger.ts'
import { refusalOf } from './policy.ts'
import { type Seen, type Target, type WriteContext, type WritingDriver, writeTags } from './write-tags.ts'

/** A device with everything that writing to it needs. */
export interface WritableDevice {
  readonly device: string
  readonly profile: DeviceProfile
  readonly driver: AnyDriver
  /** Tags that this box lets be written; undefined: all that the profile lets. */
  readonly writable: readonly string[] | undefined
}

export interface WriteDeskOptions {
  readonly devices: readonly WritableDevice[]
  readonly ledger: WriteLedger
  readonly clock: { now(): number; monotonic(): number }
  readonly wait: WriteContext['wait']
  readonly log: Log
}

/** Carries out commands that write to devices: one after the other on a device, each id once, all of them recorded. */
export interface WriteDesk {
  /** Answers what became of a command; of an id that came before, what became of it then. Never throws for a device. */
  carryOut(command: EdgeCommand): Promise<CommandOutcome>
  /** The newest commands first, for the local page. */
  recent(most: number): readonly WriteRecord[]
  /** Commands settled since the start, by result. */
  counts(): Readonly<Record<CommandOutcome['status'], number>>
  /** Gives up what is under way and closes the ledger. Safe to call twice. */
  close(): Promise<void>
}

interface DeskState {
  readonly options: WriteDeskOptions
  readonly byName: ReadonlyMap<string, WritableDevice>
  /** The last command of each device, to which the next is joined. */
  readonly tails: Map<string, Promise<unknown>>
  readonly running: Map<string, Promise<CommandOutcome>>
  /** When a tag was last written, on the monotonic clock, by `device/tag`. */
  readonly writtenAt: Map<string, number>
  readonly stopping: AbortController
  readonly counts: Record<CommandOutcome['status'], number>
}

export function createWriteDesk(options: WriteDeskOptions): WriteDesk {
  const state: DeskState = {
    options,
    byName: new Map(options.devices.map((device) => [device.device, device])),
    tails: new Map(),
    running: new Map(),
    writtenAt: new Map(),
    stopping: new AbortController(),
    counts: { done: 0, refused: 0, failed: 0 },
  }
  return {
    carryOut: (command) => once(state, command),
    recent: (most) => options.ledger.recent(most),
    counts: () => ({ ...state.counts }),
    async close() {
      if (state.stopping.signal.aborted) return
      state.stopping.abort()
      await Promise.allSettled(state.running.values())
      options.ledger.close()
    },
  }
}

function once(state: DeskState, command: EdgeCommand): Promise<CommandOutcome> {
  if (command.device === undefined) return refused('This edge takes commands for its devices and none for itself.')
  const device = state.byName.get(command.device)
  if (!device) return refused(`This edge has no device ${command.device}. Correct the name.`)
  if (command.writes.length === 0) return refused('The command names no tag to write. Name at least one.')
  const id = command.id ?? randomUUID()
  const writes = command.writes.map(recordOf)
  const known = state.options.ledger.find(id)
  if (known) return answerAgain(state, known, { id, device: device.device, writes })
  if (state.stopping.signal.aborted) return refused('The edge is being stopped. Send it again when it is back.')
  return begin(state, { id, device, command, writes })
}

const refused = async (error: string): Promise<CommandOutcome> => ({ status: 'refused', error })

function recordOf({ tag, value, expected }: TagWrite): RecordedWrite {
  return { tag, value: recorded(value), ...(expected === undefined ? {} : { expected: recorded(expected) }) }
}

/** The same id is the same command: one that asks for something else under it is a mistake of whoever sent it. */
function answerAgain(
  { running }: DeskState,
  known: WriteRecord,
  asked: Pick<WriteRecord, 'id' | 'device' | 'writes'>,
): Promise<CommandOutcome> {
  if (fingerprint(known) !== fingerprint(asked))
    return refused(`The id ${asked.id} was used for another command. Send this one under an id of its own.`)
  const outcome = known.outcome ?? { status: 'failed', error: 'Nothing is known of this command any more.' }
  return running.get(asked.id) ?? Promise.resolve(outcome)
}

const fingerprint = ({ device, writes }: Pick<WriteRecord, 'device' | 'writes'>) =>
  JSON.stringify([device, ...writes.map(({ tag, value, expected }) => [tag, value, expected ?? null])])

interface Job {
  readonly id: string
  readonly device: WritableDevice
  readonly command: EdgeCommand
  readonly writes: readonly RecordedWrite[]
}

function begin(state: DeskState, job: Job): Promise<CommandOutcome> {
  const { id, device, writes } = job
  const { ledger, clock, log } = state.options
  try {
    ledger.begin({ id, device: device.device, askedAt: clock.now(), writes })
  } catch (error) {
    log.error({ err: error, device: device.device, commandId: id }, 'Command cannot be recorded')
    return refused(
      'The edge cannot record the command, and writes nothing that it cannot record. See whether its disk is full.',
    )
  }
  const before = state.tails.get(device.device) ?? Promise.resolve()
  const outcome = before.then(() => settle(state, job))
  state.tails.set(
    device.device,
    outcome.catch(() => undefined),
  )
  state.running.set(id, outcome)
  const forget = () => state.running.delete(id)
  outcome.then(forget, forget)
  return outcome
}

async function settle(state: DeskState, job: Job): Promise<CommandOutcome> {
  const { ledger, clock, log } = state.options
  const seen: Seen[] = job.writes.map(() => ({}))
  const outcome = await outcomeOf(state, job, seen)
  const writes = job.writes.map((write, i) => ({ ...write, ...recordedSeen(seen[i] ?? {}) }))
  ledger.settle(job.id, { outcome, settledAt: clock.now(), writes })
  state.counts[outcome.status]++
  log.info({ device: job.device.device, commandId: job.id, ...outcome }, 'Command settled')
  return outcome
}

const recordedSeen = ({ before, after }: Seen): Partial<RecordedWrite> => ({
  ...(before === undefined ? {} : { before: recorded(before) }),
  ...(after === undefined ? {} : { after: recorded(after) }),
})

async function outcomeOf(state: DeskState, job: Job, seen: readonly Seen[]): Promise<CommandOutcome> {
  const { clock, wait, log } = state.options
  const targets = targetsOf(state, job)
  if (typeof targets === 'string') return { status: 'refused', error: targets }
  const onWrite = ({ name }: Target) => state.writtenAt.set(name, clock.monotonic())
  const context = { monotonic: clock.monotonic, wait, signal: state.stopping.signal, onWrite }
  try {
    return await writeTags(targets, seen, context)
  } catch (error) {
    log.error({ err: error, device: job.device.device, commandId: job.id }, 'Command failed in a way it should not')
    return {
      status: 'failed',
      error: 'The edge failed while writing; its log tells more. Look at the value before it is sent again.',
    }
  }
}

/** Where each value goes, or why nothing may be written. */
function targetsOf(state: DeskState, { device, command }: Job): Target[] | string {
  const twice = command.writes.find(({ tag }, i) => command.writes.findIndex((other) => other.tag === tag) !== i)
  if (twice) return `${device.device}/${twice.tag} is named twice in one command. Send two commands.`
  const { driver } = device
  if (!canWrite(driver)) return `${device.device} cannot be written over its protocol by this version.`
  for (const write of command.writes) {
    const refusal = refusalOf(askOf(state, device, write))
    if (refusal !== undefined) return refusal
  }
  return command.writes.map((write) => targetOf(device, driver, write))
}

const canWrite = (driver: AnyDriver): driver is WritingDriver =>
  driver.readNow !== undefined && driver.write !== undefined

const nameOf = ({ device }: WritableDevice, tag: string) => `${device}/${tag}`
const tagOf = ({ profile }: WritableDevice, name: string) => profile.tags.find(({ tag }) => tag === name)

function askOf({ writtenAt, options }: DeskState, device: WritableDevice, { tag, value, expected }: TagWrite) {
  const name = nameOf(device, tag)
  const at = writtenAt.get(name)
  const sinceLastMs = at === undefined ? undefined : options.clock.monotonic() - at
  return { name, tag: tagOf(device, tag), allowed: device.writable, value, expected, sinceLastMs }
}

function targetOf(
  device: WritableDevice,
  driver: WritingDriver,
  { tag: key, value, type, expected }: TagWrite,
): Target {
  const tag = tagOf(device, key)
  if (!tag || value === null) throw new Error(`${key} passed the policy without a tag or a value`)
  return { name: nameOf(device, key), tag, type, value, expected, address: driver.parseAddress(tag), driver }
}
