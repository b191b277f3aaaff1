import { setImmediate, setTimeout } from 'node:timers/promises'
import type { LoopEdge, LoopPipeline } from './loop-pipeline.ts'
import { pick, type Random, randomOf } from './random.ts'
import { type ProtoMetric, protoEncode } from './sparkplug-decoder.ts'
import { bdSeqMetric, type EdgeMessage, rebirthMetric } from './wire-edge.ts'

/** What a run of the fuzzer saw. */
export interface FuzzResult {
  readonly seed: number
  readonly messages: number
  /** Messages that were let fall behind a birth that waited for the database. */
  readonly dropped: number
  readonly rejected: number
  readonly seconds: number
  /** Samples of the steady edge, all of which must be in history. */
  readonly steadySamples: number
}

const GROUP = 'fuzz'
const VICTIMS = ['v-1', 'v-2', 'v-3', 'v-4', 'v-5', 'v-6']
const MESSAGES: readonly EdgeMessage[] = ['NBIRTH', 'NDATA', 'NDEATH', 'DBIRTH', 'DDATA', 'DDEATH']
const DEVICES = ['meter', 'press', '泵', ' ', '_node', 'a'.repeat(200)]
const NAMES = [
  ...['power', 'energy', 'bdSeq', 'Node Control/Rebirth', 'Andon/Epoch', 'Andon/First Offset', 'Andon/Last Offset'],
  ...['Andon/Gap', 'Andon/Heartbeat', 'Andon/Command Result', 'Properties/Profile', '', 'x'.repeat(300), 'ü/\u0000'],
]
const YIELD_EVERY = 100
const DRAIN_MS = 10
const STEADY_EVERY = 500

/** Texts that mean something to the host, some of them to the limit. */
const TEXTS = [
  ...['', '\u0000', '{"id":"x","status":"done"}', '{"first":"1","last":"9","count":1,"cause":"x"}'],
  ...['18446744073709551615', '99999999999999999999'].map(
    (last) => `{"first":"1","last":"${last}","count":1e15,"cause":"disk-limit","firstTime":-9e15,"lastTime":9e15}`,
  ),
]
/** Bit patterns that have broken decoders before. */
const LONGS = ['0', '1', '255', '256', '9007199254740993', '18446744073709551615', '9223372036854775808']

function randomMetric(random: Random): ProtoMetric {
  const value: ProtoMetric = pick(random, [
    { int_value: random(2 ** 31) },
    { long_value: pick(random, LONGS) },
    { float_value: pick(random, [0, Number.NaN, 1e38, -1]) },
    { double_value: pick(random, [0.5, Number.POSITIVE_INFINITY, -1e300]) },
    { boolean_value: random(2) === 1 },
    { string_value: pick(random, TEXTS) },
    { bytes_value: Uint8Array.of(random(256), random(256)) },
    { is_null: true },
    {},
  ])
  return {
    ...(random(3) > 0 && { name: pick(random, NAMES) }),
    ...(random(2) > 0 && { alias: pick(random, [...LONGS, '2', '3', '7', '8']) }),
    ...(random(3) > 0 && { timestamp: pick(random, [...LONGS, String(Date.now())]) }),
    ...(random(2) > 0 && { datatype: random(40) }),
    ...(random(9) === 0 && { is_historical: true }),
    ...(random(5) === 0 && { properties: { keys: ['Quality'], values: [{ type: 3, int_value: random(600) }] } }),
    ...value,
  }
}

function randomPayload(random: Random): Uint8Array {
  const metrics = Array.from({ length: random(6) }, () => randomMetric(random))
  return protoEncode({
    ...(random(4) > 0 && { timestamp: pick(random, [...LONGS, String(Date.now())]) }),
    ...(random(4) > 0 && { seq: String(random(260)) }),
    metrics,
  })
}

/** Flips, cuts, repeats and splices the bytes of a good payload. */
function mutated(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = Uint8Array.from(pick(random, corpus))
  for (let i = random(4); i >= 0 && bytes.length > 0; i--) {
    const at = random(bytes.length)
    const other = pick(random, corpus)
    const kind = random(5)
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    else if (kind === 1) bytes[at] = random(256)
    else if (kind === 2) bytes = bytes.slice(0, at)
    else if (kind === 3) bytes = Uint8Array.from([...bytes.slice(0, at), ...other.slice(random(other.length))])
    else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - random(20)))])
  }
  return bytes
}

const now = () => ({ timestamp: String(Date.now()) })
const node = (epoch?: string): ProtoMetric[] => [
  bdSeqMetric(0),
  rebirthMetric(),
  ...(epoch === undefined
    ? []
    : [
        { name: 'Andon/Epoch', ...now(), datatype: 8, long_value: epoch },
        { name: 'Andon/First Offset', alias: '1', ...now(), datatype: 8, long_value: '1' },
        { name: 'Andon/Last Offset', alias: '2', ...now(), datatype: 8, long_value: '0' },
        { name: 'Andon/Gap', alias: '3', ...now(), datatype: 12, is_null: true },
      ]),
]
const meter = (isJournaled: boolean): ProtoMetric[] => [
  { name: 'power', alias: '7', ...now(), datatype: 10, double_value: 0 },
  { name: 'energy', alias: '8', ...now(), datatype: 8, long_value: '0' },
  ...(isJournaled ? offsets(undefined, '1', '2') : []),
]
const offsets = (value: bigint | undefined, first: string, last: string): ProtoMetric[] =>
  [
    { name: 'Andon/First Offset', alias: first },
    { name: 'Andon/Last Offset', alias: last },
  ].map(({ name, alias }) =>
    value === undefined
      ? { name, alias, ...now(), datatype: 8, is_null: true }
      : { alias, ...now(), long_value: String(value) },
  )

function corpusOf(): Uint8Array[] {
  const data = [{ alias: '7', ...now(), double_value: 1 }]
  const payloads = [
    { ...now(), seq: '0', metrics: node() },
    { ...now(), seq: '0', metrics: node('77') },
    { ...now(), seq: '1', metrics: meter(false) },
    { ...now(), seq: '1', metrics: meter(true) },
    { ...now(), seq: '2', metrics: data },
    { ...now(), seq: '2', metrics: [...data, ...offsets(1n, '1', '2')] },
    { metrics: [bdSeqMetric(0)] },
  ]
  return payloads.map(protoEncode)
}

/** An Andon edge that keeps the rules, beside those that do not. */
class Steady {
  count = 0n
  /** Samples are newer than the birth, whose values are none. */
  readonly #from = BigInt(Date.now() + 1000)
  readonly #edge: LoopEdge

  constructor(edge: LoopEdge) {
    this.#edge = edge
  }

  begin(): void {
    this.#edge.say('NBIRTH', node('5'))
    this.#edge.say('DBIRTH', meter(true), 'meter')
  }

  say(): void {
    this.count += 1n
    const value = { alias: '7', timestamp: String(this.#from + this.count), double_value: Number(this.count) }
    this.#edge.say('DDATA', [value, ...offsets(this.count, '1', '2')], 'meter')
  }
}

/**
 * Sends random and mutated payloads of several edges to the host of a real pipeline, and good ones of one more edge between
 * them. @throws Error when that edge loses or doubles a value, or when one of the others cannot be born properly afterwards.
 */
export async function fuzzHost(loop: LoopPipeline, messages: number, seed: number): Promise<FuzzResult> {
  const random = randomOf(seed)
  const corpus = corpusOf()
  const steady = new Steady(await loop.edge(GROUP, 'steady'))
  for (const edge of VICTIMS) await loop.edge(GROUP, edge)
  steady.begin()
  const began = performance.now()
  let dropped = 0
  for (let i = 0; i < messages; i++) {
    const message = pick(random, MESSAGES)
    const device = message.startsWith('D') ? `/${pick(random, DEVICES)}` : ''
    const kind = random(8)
    const bytes =
      kind === 0
        ? Uint8Array.from({ length: random(60) }, () => random(256))
        : kind < 3
          ? randomPayload(random)
          : mutated(random, corpus)
    loop.broker.say(`spBv1.0/${GROUP}/${message}/${pick(random, VICTIMS)}${device}`, bytes)
    if (i % STEADY_EVERY === 0) steady.say()
    if (i % YIELD_EVERY !== 0) continue
    await setImmediate()
    // Queues are full: what is let fall is not tried.
    if (loop.counted('payloads_not_taken_total') > dropped) await setTimeout(DRAIN_MS)
    dropped = loop.counted('payloads_not_taken_total')
  }
  const seconds = (performance.now() - began) / 1000
  await checkSteady(loop, steady)
  for (const edge of VICTIMS) await checkVictim(loop, edge)
  return {
    ...{ seed, messages, seconds, steadySamples: Number(steady.count) },
    dropped: loop.counted('payloads_not_taken_total'),
    rejected: loop.counted('payloads_rejected_total'),
  }
}

const PATIENCE_MS = 30_000

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Not within ${PATIENCE_MS / 1000} s: ${what}`)
    await setImmediate()
  }
}

async function checkSteady(loop: LoopPipeline, steady: Steady): Promise<void> {
  const path = `${GROUP}/steady/meter/power`
  const acknowledged = () =>
    loop.broker.published.some(
      ({ topic, payload }) =>
        topic.endsWith('/steady') && payload.metrics?.some(({ long_value }) => long_value === String(steady.count)),
    )
  await until('every sample of the steady edge acknowledged', async () => acknowledged())
  const { value } = await loop.pipeline.history.raw({ path, from: 0, to: 1e14, limit: 100_000 })
  const lost = Array.from({ length: Number(steady.count) }, (_, i) => i + 1).find((n, i) => value[i] !== n)
  if (lost !== undefined || BigInt(value.length) !== steady.count) {
    throw new Error(`The steady edge has ${value.length} of ${steady.count} values; the first wrong one is ${lost}`)
  }
  const live = (await loop.pipeline.tag(path))?.live
  if (live?.isStale || live?.value !== Number(steady.count)) throw new Error(`The steady edge shows ${live?.value}`)
}

/** Whatever was said in its name, an edge that is born properly works. */
async function checkVictim(loop: LoopPipeline, name: string): Promise<void> {
  const edge = await loop.edge(GROUP, name)
  const path = `${GROUP}/${name}/meter/good`
  const metric = { name: 'good', alias: '70', datatype: 10, double_value: 1 }
  let saidAt = 0
  await until(`a good value of ${name}`, async () => {
    // Said again now and then: what comes behind many births that wait for the database may be let fall.
    if (Date.now() - saidAt > 500) {
      saidAt = Date.now()
      edge.say('NBIRTH', node())
      edge.say('DBIRTH', [{ ...metric, ...now() }], 'meter')
      edge.say('DDATA', [{ alias: '70', timestamp: String(Date.now() + 1), double_value: 42 }], 'meter')
    }
    return (await loop.pipeline.tag(path))?.live.value === 42
  })
}
