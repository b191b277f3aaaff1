import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import {
  type Area,
  decode,
  encode,
  type Place,
  parsePlace,
  registerCount,
  toEngineering,
  type WordOrder,
} from './register-codec.ts'

const SIZE = 65_536
/** Holes up to this many registers between two tags read as 0, as on most PLCs; wider ones answer exception 2. */
const READABLE_HOLE = 8

/** One area of a unit. Registers big-endian as on the wire, bits one byte each. */
interface AreaImage {
  readonly bytes: Buffer
  /** 0 absent, 1 read, 2 read and write. */
  readonly access: Uint8Array
}

/** A tag with its place in the image. */
interface Slot {
  readonly tag: ProfileTag
  readonly place: Place
  readonly count: number
  readonly order: WordOrder
  /** The change that no answer has carried yet. */
  pending?: { readonly value: Scalar; readonly at: number }
}

/** A change that a poll has carried to a client for the first time. Times in ms since 1970. */
export interface Answered {
  readonly device: string
  readonly tag: string
  readonly value: Scalar
  readonly at: number
  readonly answeredAt: number
}

/** What one Modbus unit serves: its image, kept up by the plant and read by the server. */
export interface ModbusUnit {
  readonly latencyMs: number
  area(name: Area): AreaImage | undefined
  /** Puts a raw value into the image. */
  set(tag: string, raw: Scalar, value: Scalar, at: number): void
  /** Tells which changes an answer carried; call it only when somebody listens. */
  answered(area: Area, start: number, count: number, answeredAt: number): readonly Answered[]
  /** A client wrote registers or bits: updates the image and returns the tags written, in engineering units. */
  written(area: Area, start: number, bytes: Buffer): readonly { readonly tag: string; readonly value: Scalar }[]
}

export interface UnitSources {
  readonly device: string
  readonly profile: DeviceProfile
  readonly latencyMs: number
  /** Holding registers that never change, by address. */
  readonly registers: Readonly<Record<number, number>>
}

/** Lays out a unit from its profile. */
export function createUnit({ device, profile, latencyMs, registers }: UnitSources): ModbusUnit {
  const base = profile.modbus?.addressBase ?? 0
  const fallback = profile.modbus?.wordOrder ?? 'ABCD'
  const slots = profile.tags.map((tag): Slot => {
    const place = parsePlace(tag.address, base)
    return { tag, place, count: registerCount(tag), order: tag.wordOrder ?? fallback }
  })
  const byTag = new Map(slots.map((s) => [s.tag.tag, s]))
  const areas = layOut(slots, registers)

  return {
    latencyMs,
    area: (name) => areas.get(name),
    set(tag, raw, value, at) {
      const slot = byTag.get(tag)
      const image = slot && areas.get(slot.place.area)
      if (!slot || !image) return
      store(image, slot, raw)
      slot.pending = { value, at }
    },
    answered(area, start, count, answeredAt) {
      return slots.flatMap((slot) => {
        if (!slot.pending || !isCarried(slot, area, start, count)) return []
        const { value, at } = slot.pending
        delete slot.pending
        return [{ device, tag: slot.tag.tag, value, at, answeredAt }]
      })
    },
    written(area, start, bytes) {
      const image = areas.get(area)
      if (!image) return []
      bytes.copy(image.bytes, offsetIn(area, start))
      const count = isBitArea(area) ? bytes.length : bytes.length / 2
      return slots
        .filter((slot) => slot.tag.writable && isCarried(slot, area, start, count))
        .map((slot) => ({ tag: slot.tag.tag, value: toEngineering(slot.tag, load(image, slot), 1) }))
    },
  }
}

export const isBitArea = (area: Area): boolean => area === 'coil' || area === 'discrete'
/** Where a register or bit stands in its area's bytes. */
export const offsetIn = (area: Area, address: number): number => (isBitArea(area) ? address : address * 2)

function isCarried({ place, count }: Slot, area: Area, start: number, length: number): boolean {
  return place.area === area && place.address >= start && place.address + count <= start + length
}

function layOut(slots: readonly Slot[], registers: Readonly<Record<number, number>>): Map<Area, AreaImage> {
  const areas = new Map<Area, AreaImage>()
  const areaOf = (area: Area) => {
    const made = areas.get(area) ?? {
      bytes: Buffer.alloc(isBitArea(area) ? SIZE : 2 * SIZE),
      access: new Uint8Array(SIZE),
    }
    areas.set(area, made)
    return made
  }
  for (const { tag, place, count } of slots) {
    areaOf(place.area).access.fill(tag.writable ? 2 : 1, place.address, place.address + count)
  }
  for (const [address, word] of Object.entries(registers)) {
    const image = areaOf('holding')
    image.bytes.writeUInt16BE(word, 2 * Number(address))
    image.access[Number(address)] ||= 1
  }
  for (const { access } of areas.values()) fillHoles(access)
  return areas
}

function fillHoles(access: Uint8Array): void {
  let last = -1
  for (let address = 0; address < SIZE; address++) {
    if (access[address] === 0) continue
    if (last >= 0 && address - last - 1 <= READABLE_HOLE) access.fill(1, last + 1, address)
    last = address
  }
}

function store(image: AreaImage, { tag, place, order }: Slot, raw: Scalar): void {
  if (isBitArea(place.area)) {
    image.bytes[place.address] = raw ? 1 : 0
    return
  }
  const offset = 2 * place.address
  if (place.bit === undefined) {
    encode(tag, raw, order).copy(image.bytes, offset)
    return
  }
  const word = image.bytes.readUInt16BE(offset)
  const mask = 1 << place.bit
  image.bytes.writeUInt16BE(raw ? word | mask : word & ~mask, offset)
}

function load(image: AreaImage, { tag, place, count, order }: Slot): Scalar {
  if (isBitArea(place.area)) return image.bytes[place.address] === 1
  const offset = 2 * place.address
  if (place.bit !== undefined) return (image.bytes.readUInt16BE(offset) & (1 << place.bit)) !== 0
  return decode(tag, image.bytes.subarray(offset, offset + 2 * count), order)
}
