import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { DomainError } from '#cloud/platform/errors.ts'
import { Worded } from '#shared/contracts/edge-report.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { SparkplugType } from '#shared/sparkplug/datatype.ts'
import {
  ALARM_COMMAND,
  BD_SEQ,
  COMMAND_ID,
  COMMAND_RESULT,
  CONFIG_METRICS,
  EXPECTED_PROPERTY,
  REBIRTH,
} from '#shared/sparkplug/metric-names.ts'
import { encodePayload, type OutgoingMetric, type Payload } from '#shared/sparkplug/payload.ts'
import { formatTopic } from '#shared/sparkplug/topics.ts'
import type { CommandOutcome, WriteCommand } from '../contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { type BornMetric, slotOf } from '../shard/slots.ts'
import type { HostContext } from './host-context.ts'

/** A command that left, kept for a while after its answer so that the same id is not carried out again. */
export interface PendingCommand {
  readonly outcome: Promise<CommandOutcome>
  /** Settles the outcome; undefined once it is settled. */
  settle: ((outcome: CommandOutcome) => void) | undefined
  readonly publish: () => Promise<void>
  /** ms since 1970 */
  readonly dueAt: number
  sentAt: number
}

/** Commands remembered by id, of each edge. */
const REMEMBERED = 1000
/** A command travels at QoS 0; it leaves again until it is answered. The edge knows it by its id. */
const REPEAT_MS = 2000
/** An answer may hold every fault of a configuration. */
const MAX_ERROR = 100_000

/** Sends a command and answers what became of it; the same id again answers the same. @throws DomainError, see `Pipeline.command`. */
export function writeCommand(host: HostContext, command: WriteCommand): Promise<CommandOutcome> {
  const { group, edge } = command.edge
  const shard = host.shards.get(command.edge)
  if (!shard) throw new DomainError('not-found', 'edge.unknown', `There is no edge ${group}/${edge}`)
  const known = shard.commands.get(command.commandId)
  if (known) return known.outcome
  const pending = prepare(host, shard, command)
  shard.commands.set(command.commandId, pending)
  shard.unanswered += 1
  for (const [id, { settle }] of shard.commands) {
    if (shard.commands.size <= REMEMBERED) break
    if (!settle) shard.commands.delete(id)
  }
  host.metrics.count('commands_sent_total', 1)
  const isAnswered = shard.bornMetric(command.device, COMMAND_RESULT) !== undefined
  pending.publish().then(
    () => {
      if (!isAnswered) settle(host, shard, pending, { id: command.commandId, status: 'sent' })
    },
    (error: Error) => {
      const words = `The command did not leave for ${group}/${edge}: ${error.message}`
      settle(host, shard, pending, { id: command.commandId, status: 'failed', error: words })
    },
  )
  return pending.outcome
}

function prepare(host: HostContext, shard: EdgeShard, command: WriteCommand): PendingCommand {
  const { device, commandId } = command
  const name = `${shard.ref.group}/${shard.ref.edge}${device === undefined ? '' : `/${device}`}`
  if (!shard.session.isOnline || !shard.isBorn(device)) {
    throw new DomainError('unavailable', 'edge.offline', `${name} is not connected; nothing was sent`)
  }
  if (command.metrics.length === 0)
    throw new DomainError('invalid', 'command.empty', 'A command writes at least one metric')
  const now = host.clock()
  const metrics = command.metrics.map((metric) => outgoing(shard, device, { ...metric, now }))
  const id = shard.bornMetric(device, COMMAND_ID)
  if (id) metrics.push({ name: COMMAND_ID, type: 'string', timestamp: now, value: commandId })
  const bytes = encoded(now, metrics)
  const topic = formatTopic(
    device === undefined ? { message: 'NCMD', ...shard.ref } : { message: 'DCMD', ...shard.ref, device },
  )
  const { promise, resolve } = Promise.withResolvers<CommandOutcome>()
  const dueAt = now + host.limits.commandTimeoutMs
  // QoS 0, not retained, no sequence number (tck-id-payloads-ncmd-*, tck-id-payloads-dcmd-*).
  const publish = () => host.broker.publish(topic, bytes, { qos: 0, retain: false })
  return { outcome: promise, settle: resolve, publish, dueAt, sentAt: now }
}

interface Write {
  readonly name: string
  readonly value: Scalar
  readonly expected?: Scalar
  readonly now: number
}

/** By alias when the birth gave one, else by name (tck-id-payloads-alias-data-cmd-requirement). */
function outgoing(shard: EdgeShard, device: string | undefined, { name, value, expected, now }: Write): OutgoingMetric {
  const born = shard.bornMetric(device, name)
  const isForNode = device === undefined && (CONFIG_METRICS.includes(name) || name === ALARM_COMMAND)
  const isOwn = name === BD_SEQ || name === REBIRTH || (name.startsWith('Andon/') && !isForNode)
  if (!born || isOwn || born.type === null) {
    const where = device === undefined ? 'The node' : device
    throw new DomainError('invalid', 'command.unknown-metric', `${where} has no metric ${name} that can be written`)
  }
  return {
    ...nameOf(born),
    type: born.type,
    isTyped: wantsTypes(shard),
    timestamp: now,
    value: widened(born.type, value),
    ...(expected === undefined ? {} : { properties: expectation(born.type, widened(born.type, expected)) }),
  }
}

const expectation = (type: SparkplugType, value: Scalar) => ({ [EXPECTED_PROPERTY]: { type, value } })

const nameOf = ({ name, alias }: BornMetric) =>
  alias === null ? { name } : { alias: Number.isSafeInteger(Number(alias)) ? Number(alias) : BigInt(alias) }

/** Commands carry no datatype (tck-id-payloads-metric-datatype-not-req), but for edges that by their own data expect one. */
export const wantsTypes = (shard: EdgeShard): boolean => shard.tolerated.has('datatype-in-data')

/** A whole number is as good as a bigint for the 64-bit types. */
const widened = (type: SparkplugType, value: Scalar): Scalar =>
  (type === 'int64' || type === 'uint64') && typeof value === 'number' && Number.isSafeInteger(value)
    ? BigInt(value)
    : value

function encoded(timestamp: number, metrics: readonly OutgoingMetric[]): Buffer {
  try {
    return Buffer.from(encodePayload({ timestamp, metrics }))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new DomainError('invalid', 'command.misfit', `A value does not fit its metric: ${error.message}`)
  }
}

function settle(host: HostContext, shard: EdgeShard, pending: PendingCommand, outcome: CommandOutcome): void {
  if (!pending.settle) return
  shard.unanswered -= 1
  host.metrics.count('commands_settled_total', 1, { status: outcome.status })
  pending.settle(outcome)
  pending.settle = undefined
}

/** The edge goes to another process, which does not know what was asked here. */
export function giveUpCommands(host: HostContext, shard: EdgeShard): void {
  const error = `${shard.ref.group}/${shard.ref.edge} went to another process; the command may have been carried out or not`
  for (const [id, pending] of shard.commands) settle(host, shard, pending, { id, status: 'timed-out', error })
}

/** Looks for results of commands in a data payload; called only while some are awaited. */
export function takeResults(host: HostContext, shard: EdgeShard, device: string | undefined, payload: Payload): void {
  const born = shard.born(device)
  const wanted = born.byName.get(COMMAND_RESULT)
  if (!wanted) return
  for (let i = 0; i < payload.count; i++) {
    if (slotOf(born, payload, i) !== wanted || payload.isNull(i)) continue
    const outcome = readOutcome(payload.valueAs(i, 'string'))
    const pending = outcome && shard.commands.get(outcome.id)
    if (pending) settle(host, shard, pending, outcome)
    else host.metrics.count('commands_results_ignored_total', 1)
  }
}

const STATUSES = ['done', 'refused', 'failed'] as const

/** Undefined for a text that is no result. */
function readOutcome(text: unknown): CommandOutcome | undefined {
  let value: unknown
  try {
    value = JSON.parse(String(text))
  } catch {
    return undefined
  }
  const { id, status, error } = (value ?? {}) as Readonly<Record<string, unknown>>
  const known = STATUSES.find((candidate) => candidate === status)
  if (typeof id !== 'string' || !known) return undefined
  const words = typeof error === 'string' ? { error: error.slice(0, MAX_ERROR) } : {}
  return { id, status: known, ...words, ...codeOf(value as Readonly<Record<string, unknown>>) }
}

const CodeOfError = Type.Object(Worded)

function codeOf(value: unknown): Pick<CommandOutcome, 'code' | 'params'> {
  if (!Value.Check(CodeOfError, value)) return {}
  const { code, params } = value
  return code === undefined ? {} : { code, ...(params ? { params } : {}) }
}

/** Sends unanswered commands again, and gives those up whose time is over. */
export function watchCommands(host: HostContext, shard: EdgeShard, now: number): void {
  for (const [id, pending] of shard.commands) {
    if (!pending.settle) continue
    if (now >= pending.dueAt) {
      const { group, edge } = shard.ref
      const limitS = host.limits.commandTimeoutMs / 1000
      const words = `${group}/${edge} did not answer within ${limitS} s; the command may have been carried out or not`
      settle(host, shard, pending, { id, status: 'timed-out', error: words })
    } else if (shard.session.isOnline && now - pending.sentAt >= REPEAT_MS) {
      pending.sentAt = now
      pending.publish().catch(() => undefined)
    }
  }
}
