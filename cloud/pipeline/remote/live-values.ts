import type { LiveTagValue } from '../contract.ts'

/** Where the values of an edge's tags are fanned out; `path` is `group/edge/device/tag`, or begins like one. */
export const valuesChannel = (path: string): string => `values/${path.split('/', 2).join('/')}`

/** Values as they travel; integers of 64 bits as text. */
export const packValues = (values: readonly LiveTagValue[]): Buffer =>
  Buffer.from(JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? { int: String(value) } : value)))

/** What packValues() wrote; nothing for bytes of another kind. */
export function unpackValues(bytes: Buffer): LiveTagValue[] {
  let values: unknown
  try {
    values = JSON.parse(bytes.toString(), (_, value) => (isInteger(value) ? BigInt(value.int) : value))
  } catch {
    return []
  }
  return Array.isArray(values) ? values.filter(isValue) : []
}

const isInteger = (value: unknown): value is { readonly int: string } =>
  typeof value === 'object' && value !== null && /^-?\d{1,20}$/.test(String((value as { int?: unknown }).int))

function isValue(value: unknown): value is LiveTagValue {
  const { path, quality, sourceAt, isStale } = (value ?? {}) as Partial<LiveTagValue>
  return (
    typeof path === 'string' &&
    typeof quality === 'number' &&
    (sourceAt === null || typeof sourceAt === 'number') &&
    typeof isStale === 'boolean'
  )
}
