import { type DeviceProfile, type ProfileTag, REGISTER_WIDTHS } from '../contracts/device-profile.ts'
import { parseRange, type RegisterRange } from '../contracts/register-range.ts'
import type { Issue } from './check-value.ts'

const MODBUS = /^(holding|input|coil|discrete):(\d{1,5})(?:\.(\d{1,2}))?$/
const OPCUA = /^(nsu=[^;]+|ns=\d+);[isgb]=.+$/

interface Span {
  readonly index: number
  readonly area: string
  readonly first: number
  readonly last: number
  readonly bit: number | undefined
}

/** Faults of the tags' addresses: notation, type against area, registers used twice. */
export function checkAddresses(profile: DeviceProfile): Issue[] {
  if (profile.protocol === 'opcua') return profile.tags.flatMap(checkNodeId)
  const base = profile.modbus?.addressBase ?? 0
  const issues = profile.tags.flatMap((tag, i) => checkModbus(tag, i, base))
  const spans = profile.tags.flatMap((tag, i) => spanOf(tag, i) ?? [])
  return [...issues, ...overlaps(spans, profile), ...checkForbidden(profile, spans)]
}

/** Ranges that cannot be meant, and tags or scale factors that could be read only within one. */
function checkForbidden({ modbus, tags }: DeviceProfile, spans: readonly Span[]): Issue[] {
  const written = modbus?.forbidden ?? []
  const base = modbus?.addressBase ?? 0
  const known = written.flatMap((text) => rangeOf(text, base) ?? [])
  const bad = written.flatMap((text, i): Issue[] => {
    if (rangeOf(text, base)) return []
    const expected = `a range such as holding:200-299 or coil:7, from ${base} to ${65_535 + base}`
    const path = ['modbus', 'forbidden', i]
    return [{ path, found: `'${text}'`, expected, fix: 'write area, colon, first number, hyphen, last number' }]
  })
  const factors = tags.flatMap(({ scaleFactor }, index) => {
    const factor = scaleFactor === undefined ? undefined : parseRange(scaleFactor)
    return factor ? [{ ...factor, index, key: 'scaleFactor' }] : []
  })
  const places = [...spans.map((span) => ({ ...span, key: 'address' })), ...factors]
  return [...bad, ...places.flatMap((place) => known.flatMap((range) => within(place, range)))]
}

function rangeOf(text: string, base: number): RegisterRange | undefined {
  const range = parseRange(text)
  return range && range.first >= base && range.last <= 65_535 + base ? range : undefined
}

interface Place {
  readonly index: number
  readonly key: string
  readonly area: string
  readonly first: number
  readonly last: number
}

function within({ index, key, area, first, last }: Place, range: RegisterRange): Issue[] {
  if (area !== range.area || last < range.first || range.last < first) return []
  const found = `${area}:${first === last ? first : `${first}-${last}`}`
  const expected = `an address outside of ${range.area}:${range.first}-${range.last}, which modbus.forbidden names`
  return [{ path: ['tags', index, key], found, expected, fix: 'remove the tag, or make the forbidden range smaller' }]
}

function checkNodeId(tag: ProfileTag, index: number, all: readonly ProfileTag[]): Issue[] {
  const path = ['tags', index, 'address']
  if (!OPCUA.test(tag.address)) {
    const expected = 'a node id such as nsu=urn:maker:device;s=Temperature or ns=2;i=7'
    return [{ path, found: `'${tag.address}'`, expected, fix: 'write the node id as the server shows it' }]
  }
  const first = all.findIndex((other) => other.address === tag.address)
  if (first === index) return []
  return [
    { path, found: `the node of '${all[first]?.tag}'`, expected: 'each node once', fix: 'correct one of the two' },
  ]
}

function checkModbus(tag: ProfileTag, index: number, base: number): Issue[] {
  const path = ['tags', index, 'address']
  const match = MODBUS.exec(tag.address)
  const found = `'${tag.address}'`
  if (!match) {
    const expected = 'holding:100, input:3, coil:0, discrete:5 or holding:12.3 for a bit'
    return [{ path, found, expected, fix: 'write area, colon, number' }]
  }
  const [, area = '', digits = '', bit] = match
  const isBitArea = area === 'coil' || area === 'discrete'
  const last = Number(digits) + widthOf(tag) - 1
  if (Number(digits) < base || last > 65_535 + base) {
    return [{ path, found, expected: `${base} to ${65_535 + base}`, fix: 'correct the address, or addressBase' }]
  }
  if (tag.type === 'bit' && !isBitArea && !isBit(bit)) {
    return [{ path, found, expected: 'the bit behind a point, 0 to 15', fix: `write ${tag.address}.0` }]
  }
  if (tag.type === 'bit' || (!isBitArea && bit === undefined)) return []
  return [{ path, found, expected: `a register, because the type is ${tag.type}`, fix: "make the type 'bit'" }]
}

const isBit = (bit: string | undefined) => bit !== undefined && Number(bit) <= 15
const widthOf = (tag: ProfileTag) => (tag.type === 'string' ? (tag.length ?? 1) : REGISTER_WIDTHS[tag.type])

function spanOf(tag: ProfileTag, index: number): Span | undefined {
  const match = MODBUS.exec(tag.address)
  if (!match) return undefined
  const first = Number(match[2])
  const bit = match[3] === undefined ? undefined : Number(match[3])
  return { index, area: match[1] ?? '', first, last: first + widthOf(tag) - 1, bit }
}

function overlaps(spans: readonly Span[], profile: DeviceProfile): Issue[] {
  return spans.flatMap((span, k) => {
    const other = spans.slice(0, k).find((s) => doOverlap(s, span))
    if (!other) return []
    const found = `the register of '${profile.tags[other.index]?.tag}'`
    return [
      { path: ['tags', span.index, 'address'], found, expected: 'each register once', fix: 'correct one of the two' },
    ]
  })
}

function doOverlap(a: Span, b: Span): boolean {
  if (a.area !== b.area || a.last < b.first || b.last < a.first) return false
  return a.bit === undefined || b.bit === undefined || a.bit === b.bit
}
