/** Inclusive range of journal offsets. */
export type Range = readonly [first: bigint, last: bigint]

/** Merged, ascending, never touching each other. */
export type Ranges = readonly Range[]

/** Position of the first range that ends at or after `offset`. */
function placeOf(ranges: Ranges, offset: bigint): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range && range[1] < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** The ranges with one more, merged with those it touches. */
export function withRange(ranges: Ranges, first: bigint, last: bigint): Ranges {
  if (last < first) return ranges
  const from = placeOf(ranges, first - 1n)
  let to = from
  let [low, high] = [first, last]
  for (let range = ranges[to]; range && range[0] <= high + 1n; range = ranges[to]) {
    if (range[0] < low) low = range[0]
    if (range[1] > high) high = range[1]
    to++
  }
  return [...ranges.slice(0, from), [low, high], ...ranges.slice(to)]
}

/** True when the offset lies in one of the ranges. */
export function holds(ranges: Ranges, offset: bigint): boolean {
  const range = ranges[placeOf(ranges, offset)]
  return range !== undefined && range[0] <= offset
}

/** True when any offset of first…last lies in one of the ranges. */
export function touches(ranges: Ranges, first: bigint, last: bigint): boolean {
  const range = ranges[placeOf(ranges, first)]
  return range !== undefined && range[0] <= last
}

/** The last offset of the unbroken range that holds `from`; `from` - 1 when none does. */
export function unbrokenEnd(ranges: Ranges, from: bigint): bigint {
  const range = ranges[placeOf(ranges, from)]
  return range && range[0] <= from ? range[1] : from - 1n
}

/** As it stands in a jsonb column: offsets as text, because they outgrow a JSON number. */
export const rangesToJson = (ranges: Ranges): [string, string][] => ranges.map(([a, b]) => [String(a), String(b)])

export const rangesFromJson = (json: readonly (readonly [string, string])[]): Ranges =>
  json.map(([a, b]) => [BigInt(a), BigInt(b)])
