import { type Static, Type } from 'typebox'
import type { Retention } from './duckdb/retention.ts'

const Keep = (what: string) =>
  Type.Optional(
    Type.String({
      pattern: '^([1-9][0-9]{0,4}[hdwy]|forever)$',
      description: `How long ${what} are kept, e.g. 90d or 5y; \`forever\` unless told.`,
    }),
  )

/** How long history keeps the tags of each class, by its name; profiles put tags into classes. */
export const RetentionSettings = Type.Record(
  Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' }),
  Type.Object(
    {
      values: Keep('single values'),
      minutes: Keep('roll-ups by minute (first, min, max, last, sum, count)'),
      hours: Keep('roll-ups by hour'),
    },
    { additionalProperties: false },
  ),
  {
    description:
      'Times by retention class: `default` and any name of yours, which profiles give to tags (`retention`). Of h, d, w and y.',
  },
)
export type RetentionSettings = Static<typeof RetentionSettings>

/** The class of every tag whose profile names no other. */
export const DEFAULT_CLASS = 'default'

const HOUR_MS = 3_600_000
const UNITS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
  y: 365.25 * 24 * HOUR_MS,
}

/** How long a class keeps each level, in ms of source time; null: for ever. */
export interface KeptFor {
  readonly values: number | null
  readonly minutes: number | null
  readonly hours: number | null
}

/** How long a class keeps what; an unknown one keeps like the default. */
export function keptFor(settings: RetentionSettings, name: string): KeptFor {
  const { values, minutes, hours } = settings[name] ?? settings[DEFAULT_CLASS] ?? {}
  return { values: msOf(values), minutes: msOf(minutes), hours: msOf(hours) }
}

function msOf(text: string | undefined): number | null {
  const [, count, unit] = /^(\d+)([hdwy])$/.exec(text ?? '') ?? []
  return unit === undefined ? null : Number(count) * (UNITS[unit] ?? 0)
}

/** The number under which history knows a class: of its name alone, so that it survives any change of the file. */
export function classNumber(name: string): number {
  if (name === DEFAULT_CLASS) return 0
  // FNV-1a in 31 bits.
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash & 0x7fffffff || 1
}

/** Two names that history could not tell apart; undefined when there are none. */
export function sameNumber(settings: RetentionSettings): readonly [string, string] | undefined {
  const known = new Map<number, string>()
  for (const name of Object.keys(settings)) {
    const other = known.get(classNumber(name))
    if (other !== undefined) return [other, name]
    known.set(classNumber(name), name)
  }
  return undefined
}

/** The settings as the embedded history takes them. */
export const retentionOf = (settings: RetentionSettings): Retention =>
  Object.fromEntries(
    Object.keys(settings).map((name) => {
      const { values, minutes, hours } = keptFor(settings, name)
      const keep = {
        ...(values === null ? {} : { rawMs: values }),
        ...(minutes === null ? {} : { minuteMs: minutes }),
        ...(hours === null ? {} : { hourMs: hours }),
      }
      return [classNumber(name), keep]
    }),
  )
