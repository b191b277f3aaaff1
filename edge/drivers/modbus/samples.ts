import { BAD, GOOD, type Scalar } from '#shared/contracts/sample.ts'
import type { Sample } from '../driver.ts'
import { isBitArea, type ModbusAddress } from './address.ts'
import { decodeBit, decodeRegisters } from './decode.ts'
import type { Holes } from './holes.ts'
import type { PlacedTag, TagPlan } from './tag-plan.ts'

/** A sample of every tag of a plan, from what stands on its shelf. What is not there is bad, with the reason. */
export function samplesOf(plan: TagPlan, holes: Holes, now: number): Sample[] {
  const around = { holes, now }
  return plan.tags.map((placed) => sampleOf(plan, placed, around))
}

interface Around {
  readonly holes: Holes
  readonly now: number
}

function sampleOf(plan: TagPlan, placed: PlacedTag, around: Around): Sample {
  const { shelf } = plan
  const { tag, address, number, factor } = placed
  const reply = shelf.replies[number]
  if (reply === undefined) return missing(plan, placed, around)
  const value = valueIn(reply, shelf.offsets[number] ?? 0, address)
  const good: Sample = { tag, value, quality: GOOD, sourceAt: shelf.at[number] ?? 0 }
  return factor === undefined ? good : withExponent(good, plan, { factor, address })
}

function valueIn(reply: Buffer, offset: number, address: ModbusAddress): Exclude<Scalar, null> {
  if (isBitArea(address.span.area)) return decodeBit(reply, offset)
  const plain = address.wordOrder === 'ABCD' ? plainNumber(reply, offset * 2, address.type) : undefined
  return plain ?? decodeRegisters(reply.subarray(offset * 2, (offset + address.span.width) * 2), address)
}

/** The common numbers as they stand on the wire, read where they lie: a view of each would be most of what a scan allocates. */
function plainNumber(reply: Buffer, at: number, type: ModbusAddress['type']): number | undefined {
  if (type === 'float32') return reply.readFloatBE(at)
  if (type === 'uint16') return reply.readUInt16BE(at)
  if (type === 'int16') return reply.readInt16BE(at)
  if (type === 'int32') return reply.readInt32BE(at)
  if (type === 'uint32') return reply.readUInt32BE(at)
  return type === 'float64' ? reply.readDoubleBE(at) : undefined
}

function missing({ shelf, spans }: TagPlan, { tag, address, number }: PlacedTag, { holes, now }: Around): Sample {
  const span = spans[number]
  const fault = shelf.faults[number] ?? (span && holes.reasonOf(span))
  const sourceAt = shelf.faults[number] === undefined ? now : (shelf.at[number] ?? now)
  return { tag, value: null, quality: BAD, sourceAt, reason: words(address, fault ?? 'not read') }
}

const words = (address: ModbusAddress, fault: string) => `${address.written}: ${fault}`

/** SunSpec scale factors are int16 powers of ten from −10 to 10; 0x8000 means that there is none. */
function withExponent(
  sample: Sample,
  { shelf }: TagPlan,
  { factor, address }: { factor: number; address: ModbusAddress },
): Sample {
  const bad = (why: string): Sample => ({ ...sample, value: null, quality: BAD, reason: words(address, why) })
  const reply = shelf.replies[factor]
  if (reply === undefined) return bad('its scale factor cannot be read')
  const exponent = reply.readInt16BE((shelf.offsets[factor] ?? 0) * 2)
  if (exponent < -10 || exponent > 10) return bad(`the device gives no usable scale factor (${exponent})`)
  return { ...sample, exponent }
}
