/** Tags of one device, all of which are read in one scan a second. */
export const DEVICE_TAGS = 1000

/** Type of a device's tag: a third noisy numbers of two decimals, a third slow whole numbers, a third rare booleans. */
export const typeOf = (tag: number) => (['double', 'int32', 'boolean'] as const)[tag % 3] ?? 'double'

/** What a tag says at a time: the same for who writes and who compares. */
export function valueAt(device: number, tag: number, at: number): number | boolean {
  if (tag % 3 === 1) return Math.floor(at / 50_000 + tag * 7.3) % 100_000
  if (tag % 3 === 2) return (Math.floor(at / 1_000_000) + tag + device) % 7 === 0
  const wave = 10 * Math.sin((at / 1000 + tag) / 600)
  return Math.round((20 + (tag % 97) + wave + noise(device * DEVICE_TAGS + tag, at) * 2) * 100) / 100
}

/** From 0 to below 1, and nobody guesses the next. */
function noise(tag: number, at: number): number {
  let h = Math.imul(tag ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(at % 0x7fffffff, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32
}

/** What the writing process says on its output, a line each. */
export type Told =
  /** A scan that the journal accepted. */
  { readonly scan: readonly [device: number, at: number] } | { readonly written: Written }

/** The figures of a process that wrote for a while. */
export interface Written {
  readonly accepted: number
  readonly seconds: number
  /** Of the journal alone, with what it does in the background; the making of values is left out. */
  readonly cpuMicros: number
  readonly makingMicros: number
  /** Of a segment for each sample: most still as commits wrote it, and when all closed ones are packed. */
  readonly bytes: number
  readonly bytesPacked: number
  readonly packedSegments: number
  readonly peakRssMb: number
  readonly commits: number
}
