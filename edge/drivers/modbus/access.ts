import { setTimeout as wait } from 'node:timers/promises'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { BAD, GOOD, type Scalar } from '#shared/contracts/sample.ts'
import { NotConnectedError, type Reading, WriteError } from '../driver.ts'
import { isBitArea, type ModbusAddress, type Span } from './address.ts'
import { NoReplyError } from './connection.ts'
import { decodeBit, decodeRegisters } from './decode.ts'
import { encodeBit, encodeRegisters } from './encode.ts'
import { FrameError } from './frame.ts'
import type { Lane } from './lane.ts'
import {
  checkWriteReply,
  ModbusException,
  maskWriteRequest,
  readReply,
  readRequest,
  writeCoilsRequest,
  writeRegistersRequest,
} from './pdu.ts'

/** What reading and writing outside of a scan need of the device. Times in ms. */
export interface AccessOptions {
  readonly lane: Lane
  readonly unit: number
  readonly timeoutMs: number
  readonly quirks: NonNullable<DeviceProfile['modbus']>['quirks']
  /** Wall clock, ms since 1970. */
  readonly now: () => number
}

const UNKNOWN_FUNCTION = 1
const ACCEPTED = 5
const BUSY = 6
/** A device that is busy has not carried the request out: it is asked again after these times. */
const BUSY_TRIES_MS = [50, 200] as const

/** Reads one address, with its scale factor when it has one, between two blocks of a scan. */
export async function readNow(
  options: AccessOptions,
  { tag, address, signal }: { readonly tag: string; readonly address: ModbusAddress; readonly signal: AbortSignal },
): Promise<Reading> {
  const base = { tag, sourceAt: options.now() }
  try {
    const bytes = await readSpan(options, address.span, signal)
    const factor = address.scaleFactor && (await readSpan(options, address.scaleFactor, signal)).readInt16BE(0)
    const value = isBitArea(address.span.area) ? decodeBit(bytes, 0) : decodeRegisters(bytes, address)
    const registers = isBitArea(address.span.area) ? [Number(value)] : registersOf(bytes)
    return { sample: { ...base, ...good(value, factor, address) }, registers }
  } catch (error) {
    if (!(error instanceof ModbusException)) throw error
    return { sample: { ...base, value: null, quality: BAD, reason: `${address.written}: ${error.message}` } }
  }
}

/** A scale factor is a power of ten from −10 to 10. */
function good(value: Exclude<Scalar, null>, factor: number | undefined, { written }: ModbusAddress) {
  if (factor === undefined) return { value, quality: GOOD } as const
  if (factor >= -10 && factor <= 10) return { value, quality: GOOD, exponent: factor } as const
  const reason = `${written}: the device gives no usable scale factor (${factor})`
  return { value: null, quality: BAD, reason } as const
}

const registersOf = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(i * 2))

async function readSpan(options: AccessOptions, { area, start, width }: Span, signal: AbortSignal): Promise<Buffer> {
  const pdu = readRequest(area, start, width)
  return exchange(options, { pdu, priority: 'demand', signal, take: (reply) => readReply(pdu, reply) })
}

/** Writes one raw value ahead of everything that waits. Throws WriteError when it was not written, NotConnectedError when nobody knows. */
export async function writeNow(
  options: AccessOptions,
  address: ModbusAddress,
  value: Exclude<Scalar, null>,
  signal: AbortSignal,
): Promise<void> {
  const { area } = address.span
  if (area === 'input' || area === 'discrete')
    throw new WriteError(`${address.written} can only be read; Modbus writes holding registers and coils`)
  try {
    if (area === 'coil') await send(options, coilRequest(options, address, value), signal)
    else if (address.bit !== undefined) await writeBit(options, address, { isSet: encodeBit(value), signal })
    else await writeRegisters(options, address, { registers: encodeRegisters(value, address), signal })
  } catch (error) {
    throw error instanceof ModbusException ? refusedBy(error, address) : error
  }
}

const refusedBy = (error: ModbusException, { written }: ModbusAddress) =>
  new WriteError(`${written}: ${error.message}`, { cause: error })

const coilRequest = ({ quirks }: AccessOptions, { span }: ModbusAddress, value: Exclude<Scalar, null>) =>
  writeCoilsRequest(span.start, [encodeBit(value)], quirks?.coilWrites === 'multiple')

interface Registers {
  readonly registers: readonly number[]
  readonly signal: AbortSignal
}

async function writeRegisters(
  options: AccessOptions,
  { span }: ModbusAddress,
  { registers, signal }: Registers,
): Promise<void> {
  const how = options.quirks?.registerWrites ?? 'auto'
  if (how !== 'single') return send(options, writeRegistersRequest(span.start, registers, how === 'multiple'), signal)
  for (const [i, register] of registers.entries()) {
    await sendPart(options, writeRegistersRequest(span.start + i, [register]), { isFirst: i === 0, signal })
  }
}

/** Once one register of several is written, a refusal of the next leaves half a value: nobody may call that "not written". */
async function sendPart(
  options: AccessOptions,
  pdu: Buffer,
  { isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await send(options, pdu, signal)
  } catch (error) {
    if (isFirst || !(error instanceof ModbusException)) throw error
    throw new NotConnectedError('other', `half of the value was written, then ${error.message}`, { cause: error })
  }
}

/** Function 22 leaves the other bits to the device; reading and writing back could undo what the device did meanwhile. */
async function writeBit(
  options: AccessOptions,
  address: ModbusAddress,
  { isSet, signal }: { readonly isSet: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { span, bit = 0 } = address
  if (options.quirks?.bitWrites === 'read-modify-write') {
    const register = (await readSpan(options, span, signal)).readUInt16BE(0)
    const changed = isSet ? register | (1 << bit) : register & ~(1 << bit)
    return writeRegisters(options, address, { registers: [changed], signal })
  }
  try {
    await send(options, maskWriteRequest(span.start, bit, isSet), signal)
  } catch (error) {
    if (!(error instanceof ModbusException) || error.code !== UNKNOWN_FUNCTION) throw error
    throw new WriteError(`${address.written}: ${NO_MASK_WRITE}`, { cause: error })
  }
}

const NO_MASK_WRITE =
  "the device cannot write one bit of a register (function 22). Where nobody else writes this register, set 'modbus: { quirks: { bitWrites: read-modify-write } }' in the profile"

/** Sends a write; exception 5 says that the device has taken it and needs more time. */
async function send(options: AccessOptions, pdu: Buffer, signal: AbortSignal): Promise<void> {
  const take = (reply: Buffer) => checkWriteReply(pdu, reply)
  try {
    await exchange(options, { pdu, priority: 'write', signal, take })
  } catch (error) {
    if (!(error instanceof ModbusException) || error.code !== ACCEPTED) throw error
  }
}

interface Exchange<T> {
  readonly pdu: Buffer
  readonly priority: 'write' | 'demand'
  readonly signal: AbortSignal
  readonly take: (reply: Buffer) => T
}

async function exchange<T>(options: AccessOptions, request: Exchange<T>, tries = 0): Promise<T> {
  const { lane, unit, timeoutMs } = options
  const { pdu, priority, signal, take } = request
  try {
    return take(await lane.request({ unit, pdu, timeoutMs, priority, deadlineAt: lane.now() + timeoutMs, signal }))
  } catch (error) {
    const waitMs = BUSY_TRIES_MS[tries]
    if (error instanceof ModbusException && error.code === BUSY && waitMs !== undefined) {
      await wait(waitMs, undefined, { signal }).catch(() => undefined)
      return exchange(options, request, tries + 1)
    }
    throw lost(options, error)
  }
}

function lost({ lane, unit }: AccessOptions, error: unknown): unknown {
  if (error instanceof NoReplyError) return new NotConnectedError('silent', error.message, { cause: error })
  if (!(error instanceof FrameError)) return error
  lane.reset('not-the-protocol', error.message)
  const why = `Unit ${unit} gave a reply that cannot be used: ${error.message}`
  return new NotConnectedError('not-the-protocol', why, { cause: error })
}
