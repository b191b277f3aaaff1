import type { Journal } from '#edge/journal/journal.ts'
import type { EdgeModel } from '#edge/model.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import {
  ACK_OFFSET,
  ALARM_COMMAND,
  COMMAND_ID,
  CONFIG_DOCUMENT,
  CONFIG_DRY_RUN,
  CONFIG_HASH,
  CONFIG_REPLACES,
  CONFIG_SIGNATURE,
  CONFIG_VERSION,
  EPOCH,
  EXPECTED_PROPERTY,
  isProtocolMetric,
  REBIRTH,
} from '#shared/sparkplug/metric-names.ts'
import { type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import type { ConfigurationAsk, EdgeCommand, TagWrite } from './uplink.ts'

/** What an NCMD asks for. One message may ask for several things. */
export interface NodeRequest {
  readonly acknowledgement?: { readonly epoch: bigint; readonly offset: bigint }
  readonly isRebirth: boolean
  readonly command?: EdgeCommand
}

/** Reads an NCMD. @throws PayloadError when a metric has the wrong type. */
export function readNodeCommand(payload: Payload): NodeRequest {
  const epoch = bigintOf(payload, EPOCH)
  const offset = bigintOf(payload, ACK_OFFSET)
  const alarmCommand = textOf(payload, ALARM_COMMAND)
  const rebirth = indexOf(payload, REBIRTH)
  const id = textOf(payload, COMMAND_ID)
  const configuration = configurationOf(payload)
  return {
    ...(epoch !== undefined && offset !== undefined && { acknowledgement: { epoch, offset } }),
    isRebirth: rebirth >= 0 && payload.valueAs(rebirth, 'boolean') === true,
    ...((alarmCommand ?? id) !== undefined && {
      command: {
        ...{ id, device: undefined, writes: [] },
        ...(alarmCommand !== undefined && { alarmCommand }),
        ...(configuration && { configuration }),
      },
    }),
  }
}

/** Undefined when the command is about something else. */
function configurationOf(payload: Payload): ConfigurationAsk | undefined {
  const hash = textOf(payload, CONFIG_HASH)
  if (hash === undefined) return undefined
  const [version, dryRun] = [indexOf(payload, CONFIG_VERSION), indexOf(payload, CONFIG_DRY_RUN)]
  return {
    hash,
    version: version < 0 ? 0 : Number(payload.valueAs(version, 'int64')),
    signature: textOf(payload, CONFIG_SIGNATURE) ?? '',
    replaces: textOf(payload, CONFIG_REPLACES) ?? '',
    document: textOf(payload, CONFIG_DOCUMENT),
    isDryRun: dryRun >= 0 && payload.valueAs(dryRun, 'boolean') === true,
  }
}

/**
 * Reads a DCMD: the tags to write, by name or alias.
 * @throws PayloadError when a metric names no tag of the device or has another type.
 */
export function readDeviceCommand(model: EdgeModel, journal: Journal, device: string, payload: Payload): EdgeCommand {
  const tags = model.devices.find((candidate) => candidate.device === device)?.tags ?? []
  const writes: TagWrite[] = []
  for (let i = 0; i < payload.count; i++) {
    const name = payload.name(i)
    if (name !== undefined && isProtocolMetric(name)) continue
    const alias = payload.alias(i)
    const tag = tags.find((candidate) => (name === undefined ? candidate.id === alias : candidate.tag === name))
    if (!tag) throw new PayloadError(`Device ${device} has no tag ${name ?? `with alias ${alias}`}`)
    const type = journal.tag(tag.id)?.type ?? tag.type
    writes.push({ tag: tag.tag, type, value: payload.valueAs(i, type) as Scalar, ...expectedIn(payload, i) })
  }
  return { id: textOf(payload, COMMAND_ID), device, writes }
}

function expectedIn(payload: Payload, index: number): Pick<TagWrite, 'expected'> {
  const expected = payload.property(index, EXPECTED_PROPERTY)?.value
  return expected === undefined ? {} : { expected: expected as Scalar }
}

/** The command's id in a DCMD or NCMD that may be broken otherwise, so that the refusal can be told. */
export const commandIdOf = (payload: Payload): string | undefined => textOf(payload, COMMAND_ID)

function indexOf(payload: Payload, name: string): number {
  for (let i = 0; i < payload.count; i++) if (payload.name(i) === name) return i
  return -1
}

function bigintOf(payload: Payload, name: string): bigint | undefined {
  const index = indexOf(payload, name)
  const value = index < 0 ? undefined : payload.valueAs(index, 'uint64')
  return typeof value === 'bigint' ? value : undefined
}

function textOf(payload: Payload, name: string): string | undefined {
  const index = indexOf(payload, name)
  const value = index < 0 ? undefined : payload.valueAs(index, 'string')
  return typeof value === 'string' ? value : undefined
}
