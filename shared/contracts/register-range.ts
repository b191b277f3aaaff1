/** A run of registers, or of bits in the areas `coil` and `discrete`, numbered as the addresses of its profile are. */
export interface RegisterRange {
  readonly area: 'holding' | 'input' | 'coil' | 'discrete'
  readonly first: number
  readonly last: number
}

const NOTATION = /^(holding|input|coil|discrete):(\d{1,5})(?:-(\d{1,5}))?$/

/** Reads `holding:200-299` or `input:7`; undefined when it is neither, or ends before it begins. */
export function parseRange(text: string): RegisterRange | undefined {
  const match = NOTATION.exec(text)
  if (!match) return undefined
  const [, area, from, to = from] = match
  const [first, last] = [Number(from), Number(to)]
  return first <= last ? { area: area as RegisterRange['area'], first, last } : undefined
}
