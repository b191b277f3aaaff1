import fc from 'fast-check'
import { field } from './codec-arbitraries.ts'

/** Puts the fields of a message into another form with the same meaning (protobuf encoding guide). */

/** A message of the schema: which fields are messages, and which are lists of scalars. */
interface Shape {
  readonly nested: Readonly<Record<number, () => Shape>>
  readonly lists?: readonly number[]
}
const LEAF: Shape = { nested: {} }
const set: Shape = { nested: { 2: () => property }, lists: [1] }
const setList: Shape = { nested: { 1: () => set } }
const property: Shape = { nested: { 9: () => set, 10: () => setList } }
const row: Shape = { nested: { 1: () => LEAF } }
const dataSet: Shape = { nested: { 4: () => row }, lists: [2, 3] }
const metric: Shape = { nested: { 8: () => LEAF, 9: () => set, 17: () => dataSet, 18: () => template } }
const template: Shape = { nested: { 2: () => metric, 3: () => LEAF } }
const PAYLOAD: Shape = { nested: { 2: () => metric } }

interface Field {
  readonly number: number
  readonly wire: 0 | 1 | 2 | 5
  readonly content: number[]
}

function split(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = () => {
    const start = at
    while ((bytes[at++] as number) > 0x7f);
    return bytes.subarray(start, at)
  }
  const number = () => Number(varint().reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n))
  while (at < bytes.length) {
    const key = number()
    const wire = (key & 7) as Field['wire']
    const raw = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : number())
    fields.push({ number: key >>> 3, wire, content: [...raw] })
  }
  return fields

  function take(length: number): Uint8Array {
    at += length
    return bytes.subarray(at - length, at)
  }
}

/** Fields that are in no message of the schema. */
const UNKNOWN: readonly Field[] = [
  { number: 1000, wire: 0, content: [0x96, 0x01] },
  { number: 77, wire: 1, content: [1, 2, 3, 4, 5, 6, 7, 8] },
  { number: 536870911, wire: 2, content: [0xff, 0xff, 0xff] },
  { number: 60, wire: 5, content: [1, 2, 3, 4] },
]

/** A value of another time for a scalar field: it stands before the true one, which wins. */
const decoy = ({ number, wire, content }: Field): Field => ({
  number,
  wire,
  content: wire === 0 ? [1] : content.map(() => 1),
})

/** Chances that the scrambler draws; each from 0 to 1. */
export type Draw = () => number
export const drawArb: fc.Arbitrary<Draw> = fc
  .infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))
  .map((stream) => () => stream.next().value as number) // prettier-ignore

/** The same payload with its fields in another order, with decoys before scalars and with unknown fields between. */
export const scrambled = (bytes: Uint8Array, draw: Draw): Uint8Array => Uint8Array.from(scramble(bytes, PAYLOAD, draw))

function scramble(bytes: Uint8Array, { nested, lists = [] }: Shape, draw: Draw): number[] {
  const groups = new Map<number, Field[]>()
  for (const part of split(bytes)) {
    const inner = nested[part.number]
    const whole = inner ? { ...part, content: scramble(Uint8Array.from(part.content), inner(), draw) } : part
    const hasDecoy = !inner && !lists.includes(part.number) && draw() < 0.3
    groups.set(part.number, [...(groups.get(part.number) ?? []), ...(hasDecoy ? [decoy(part)] : []), whole])
  }
  const unknown = UNKNOWN.filter(() => draw() < 0.1).map((part) => [part])
  return mixed([...groups.values(), ...unknown], draw).flatMap(({ number, wire, content }) =>
    field(number, wire, content),
  )
}

/** Draws from the groups in turn; the order within one stays, as repeated fields need it. */
function mixed(groups: readonly (readonly Field[])[], draw: Draw): Field[] {
  const rest = groups.map((group) => [...group])
  const all: Field[] = []
  while (rest.some((group) => group.length > 0)) {
    const open = rest.filter((group) => group.length > 0)
    const group = open[Math.min(open.length - 1, Math.floor(draw() * open.length))] as Field[]
    all.push(group.shift() as Field)
  }
  return all
}
