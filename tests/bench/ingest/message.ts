import { deviceName, edgeName, kindOf, type Load, sampleValue, TAGS, tagNumber } from './plan.ts'

/** Aliases of an edge: tags from here on, the node's own below. */
export const FIRST_TAG_ALIAS = 1000
const ALIAS = { first: 1, last: 2 }

/** Alias of a tag, two bytes on the wire. */
export const tagAlias = (device: number, tag: number): number => FIRST_TAG_ALIAS + device * TAGS + tag

interface Metric {
  readonly kind: ReturnType<typeof kindOf>
  readonly number: number
  readonly timeAt: number
  readonly valueAt: number
}

/** One DDATA message of a device with fixed places for what changes, so that the generator costs little beside the product. */
export interface Template {
  readonly head: Buffer
  readonly body: Buffer
  readonly metrics: readonly Metric[]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return [...bytes, rest]
}

/** Times of this century take six bytes. */
const NO_TIME = [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]
const VALUE = { float: [0x69, 0, 0, 0, 0, 0, 0, 0, 0], integer: [0x50, 0x80, 0x01], boolean: [0x70, 0] }

/** The message that carries `perMessage` tags of a device, from `from` on. */
export function template(load: Load, edge: number, device: number, from: number): Template {
  const topic = Buffer.from(`spBv1.0/${load.group}/DDATA/${edgeName(edge)}/${deviceName(device)}`)
  const head = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 0xff]), topic])
  const bytes: number[] = [0x08, ...NO_TIME]
  const metrics: Metric[] = []
  for (let tag = from; tag < from + load.perMessage; tag++) {
    const kind = kindOf(tag)
    const content = [0x10, ...varint(tagAlias(device, tag)), 0x18, ...NO_TIME, ...VALUE[kind]]
    const start = bytes.length + 2
    bytes.push(0x12, content.length, ...content)
    metrics.push({ kind, number: tagNumber(load, edge, device, tag), timeAt: start + 4, valueAt: start + 11 })
  }
  return { head, body: Buffer.from(bytes), metrics }
}

const time = new Uint8Array(6)

function setTime(at: number): void {
  let rest = at
  for (let i = 0; i < 6; i++) {
    time[i] = i < 5 ? (rest % 0x80) | 0x80 : rest
    rest = Math.floor(rest / 0x80)
  }
}

const putTime = (body: Buffer, at: number): void => {
  for (let i = 0; i < 6; i++) body[at + i] = time[i] as number
}

/** Writes the n-th samples into a template and appends the MQTT packet to `out` at `at`; answers where it ends. */
export function writeMessage(
  { head, body, metrics }: Template,
  sample: {
    readonly n: number
    readonly at: number
    readonly now: number
    readonly offset: number
    readonly seq: number
  },
  out: Buffer,
  start: number,
): number {
  setTime(sample.now)
  putTime(body, 1)
  setTime(sample.at)
  for (const { kind, number, timeAt, valueAt } of metrics) {
    putTime(body, timeAt)
    const value = sampleValue(kind, number, sample.n)
    if (kind === 'float') body.writeDoubleLE(value, valueAt)
    else if (kind === 'boolean') body[valueAt] = value
    else {
      body[valueAt] = (value & 0x7f) | 0x80
      body[valueAt + 1] = value >> 7
    }
  }
  const tail = [
    ...offsetMetric(ALIAS.first, sample.offset),
    ...offsetMetric(ALIAS.last, sample.offset + metrics.length - 1),
    ...[0x18, ...varint(sample.seq)],
  ]
  const length = varint(head.length + body.length + tail.length)
  let at = start
  out[at++] = 0x30
  for (const byte of length) out[at++] = byte
  at += head.copy(out, at)
  at += body.copy(out, at)
  for (const byte of tail) out[at++] = byte
  return at
}

function offsetMetric(alias: number, offset: number): number[] {
  const content = [0x10, alias, 0x18, ...time, 0x58, ...varint(offset)]
  return [0x12, content.length, ...content]
}

/** Most bytes of one packet. */
export const packetBytes = ({ head, body }: Template): number => head.length + body.length + 60
