/** Reads holding registers; undefined when the device refuses these addresses. Throws when nobody answers. */
export type ReadHolding = (start: number, count: number) => Promise<readonly number[] | undefined>

/** One model as it stands in a device. */
export interface FoundModel {
  readonly id: number
  /** Address of its first point, behind id and length. */
  readonly address: number
  /** What it held when it was found; REFUSED where the device does not let it be read. */
  readonly registers: readonly number[]
}

/** What a SunSpec device tells of itself. */
export interface FoundDevice {
  /** Address of the marker `SunS`. */
  readonly base: number
  readonly models: readonly FoundModel[]
  /** Why the list of models ended before its end mark; undefined when it did not. */
  readonly cutShort?: string
}

/** There is no SunSpec device. The message says where was looked. */
export class NotSunspecError extends Error {
  override readonly name = 'NotSunspecError'
}

/** Where the marker may stand, in the order in which the standard wants it tried. */
const BASES = [40_000, 0, 50_000] as const
const MARKER = [0x5375, 0x6e53] as const
const END = 0xffff
/** A bank of batteries has one for each string and module; a list that goes on beyond that is no list. */
const MOST_MODELS = 500
const MOST_REGISTERS = 125
/** In place of a register that the device does not let be read. */
export const REFUSED = -1

/** Finds the marker and walks the models to their end. @throws NotSunspecError when no marker is there. */
export async function discoverSunspec(read: ReadHolding): Promise<FoundDevice> {
  for (const base of BASES) {
    const found = await read(base, 2)
    if (found?.[0] === MARKER[0] && found[1] === MARKER[1]) return { base, ...(await walk(read, base + 2)) }
  }
  throw new NotSunspecError(
    `There is no marker 'SunS' at ${BASES.join(', ')}: not a SunSpec device, SunSpec is switched off in it, or another unit number answers (often 1, 126 or 3)`,
  )
}

async function walk(read: ReadHolding, from: number): Promise<Omit<FoundDevice, 'base'>> {
  const models: FoundModel[] = []
  let at = from
  while (models.length < MOST_MODELS) {
    const step = await readModel(read, at)
    if (step === 'end') return { models }
    if (typeof step === 'string') return { models, cutShort: step }
    models.push(step)
    at = step.address + step.registers.length
  }
  return { models, cutShort: `there are more than ${MOST_MODELS} models` }
}

/** The model that begins at an address, the end, or why there is neither. */
async function readModel(read: ReadHolding, at: number): Promise<FoundModel | 'end' | string> {
  const [id, length = 0] = (await read(at, 2)) ?? (await read(at, 1)) ?? []
  if (id === END) return 'end'
  if (id === undefined) return `the device does not let register ${at} be read`
  if (id === 0 || at + 2 + length > 65_536) return `register ${at} holds no model (${id})`
  return { id, address: at + 2, registers: await readAll(read, at + 2, length) }
}

/** In halves where the device refuses: some serve only the registers that they use. */
async function readAll(read: ReadHolding, start: number, count: number): Promise<number[]> {
  if (count === 0) return []
  const part = count > MOST_REGISTERS ? undefined : await read(start, count)
  if (part?.length === count) return [...part]
  if (count === 1) return [REFUSED]
  const half = count > MOST_REGISTERS ? MOST_REGISTERS : count >> 1
  return [...(await readAll(read, start, half)), ...(await readAll(read, start + half, count - half))]
}
