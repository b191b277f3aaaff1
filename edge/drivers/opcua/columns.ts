import { BAD, GOOD, type Quality, type Scalar, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { Sample } from '../driver.ts'

/**
 * Samples as they cross from the OPC UA process to the agent: a column a property, because thousands of objects a second
 * would cost more to send than to read from the server. Sample k is row k.
 */
export interface Columns {
  /** Number of the tag. */
  readonly tags: Uint32Array
  readonly values: Float64Array
  readonly sourceAt: Float64Array
  readonly kinds: Uint8Array
  readonly qualities: Uint8Array
  /** Values that are no number, by row. */
  readonly others: readonly (readonly [number, Scalar])[]
  /** Why a row is not good. */
  readonly reasons: readonly (readonly [number, string])[]
}

/** What a row's value is: a number, a switch, something in `others`, none, or none because the server does not serve the tag. */
const [NUMBER, SWITCH, OTHER, NONE, NOT_SERVED] = [0, 1, 2, 3, 4]
/** Qualities take one byte. */
const QUALITIES: readonly Quality[] = [BAD, UNCERTAIN, GOOD]
const GOOD_BYTE = QUALITIES.indexOf(GOOD)
const FIRST_ROWS = 256

/** Gathers rows until they are taken. A hot path: `andon bench edge-opcua`. */
export class Packer {
  #size = 0
  #tags = new Uint32Array(FIRST_ROWS)
  #values = new Float64Array(FIRST_ROWS)
  #sourceAt = new Float64Array(FIRST_ROWS)
  #kinds = new Uint8Array(FIRST_ROWS)
  #qualities = new Uint8Array(FIRST_ROWS)
  #others: [number, Scalar][] = []
  #reasons: [number, string][] = []

  get size(): number {
    return this.#size
  }

  /** A good number. */
  addNumber(tag: number, value: number, sourceAt: number): void {
    this.#add(tag, NUMBER, value, sourceAt)
  }

  add(tag: number, { value, quality, sourceAt, reason }: Omit<Sample, 'tag'>): void {
    const row = this.#size
    if (typeof value === 'number') this.#add(tag, NUMBER, value, sourceAt)
    else if (typeof value === 'boolean') this.#add(tag, SWITCH, Number(value), sourceAt)
    else this.#add(tag, value === null ? NONE : OTHER, 0, sourceAt)
    if (value !== null && this.#kinds[row] === OTHER) this.#others.push([row, value])
    this.#qualities[row] = QUALITIES.indexOf(quality)
    if (reason !== undefined) this.#reasons.push([row, reason])
  }

  /** The server does not serve this tag. */
  addRefusal(tag: number, reason: string, at: number): void {
    const row = this.#size
    this.add(tag, { value: null, quality: BAD, sourceAt: at, reason })
    this.#kinds[row] = NOT_SERVED
  }

  /** All rows since the last time. The columns are valid until the next add(): send them at once. */
  take(): Columns {
    const size = this.#size
    const columns = {
      tags: this.#tags.subarray(0, size),
      values: this.#values.subarray(0, size),
      sourceAt: this.#sourceAt.subarray(0, size),
      kinds: this.#kinds.subarray(0, size),
      qualities: this.#qualities.subarray(0, size),
      others: this.#others,
      reasons: this.#reasons,
    }
    this.#size = 0
    this.#others = []
    this.#reasons = []
    return columns
  }

  #add(tag: number, kind: number, value: number, sourceAt: number): void {
    const row = this.#size
    if (row === this.#tags.length) this.#grow()
    this.#tags[row] = tag
    this.#kinds[row] = kind
    this.#values[row] = value
    this.#sourceAt[row] = sourceAt
    this.#qualities[row] = GOOD_BYTE
    this.#size = row + 1
  }

  #grow(): void {
    const rows = this.#tags.length * 2
    this.#tags = grown(this.#tags, new Uint32Array(rows))
    this.#values = grown(this.#values, new Float64Array(rows))
    this.#sourceAt = grown(this.#sourceAt, new Float64Array(rows))
    this.#kinds = grown(this.#kinds, new Uint8Array(rows))
    this.#qualities = grown(this.#qualities, new Uint8Array(rows))
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}

/** The samples of columns; `names` gives the tag of each number. */
export function unpack(columns: Columns, names: readonly string[]): Sample[] {
  const { tags, sourceAt, qualities } = columns
  const others = new Map(columns.others)
  const samples: Sample[] = []
  for (let row = 0; row < tags.length; row++) {
    samples.push({
      tag: names[tags[row] ?? 0] ?? '',
      value: scalarAt(columns, row, others),
      quality: QUALITIES[qualities[row] ?? 0] ?? BAD,
      sourceAt: sourceAt[row] ?? 0,
    })
  }
  for (const [row, reason] of columns.reasons) samples[row] = { ...(samples[row] as Sample), reason }
  return samples
}

function scalarAt({ kinds, values }: Columns, row: number, others: ReadonlyMap<number, Scalar>): Scalar {
  switch (kinds[row]) {
    case NUMBER:
      return values[row] ?? null
    case SWITCH:
      return values[row] === 1
    case OTHER:
      return others.get(row) ?? null
    default:
      return null
  }
}

/** True when a row says that the server does not serve the tag: it tells nothing about what the server had. */
export const isRefusal = ({ kinds }: Columns, row: number): boolean => kinds[row] === NOT_SERVED
