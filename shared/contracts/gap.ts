import { type Static, Type } from 'typebox'

const Offset = Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$' })

/** Why samples are missing; `freed`, `take-over` and `set-aside` are written by the host, the others by the edge. */
export const GAP_CAUSES = [
  'unclean-stop',
  'disk-limit',
  'age-limit',
  'thinned',
  'corrupt',
  'clock-jump',
  'device-silent',
  'queue-overflow',
  'freed',
  'take-over',
  'set-aside',
] as const
export const GapCause = Type.Enum(GAP_CAUSES)
export type GapCause = (typeof GAP_CAUSES)[number]

/**
 * A hole in the record that is told, never silent: offsets `first` to `last` will not come. `count` samples existed
 * (0 when a jump of offsets is all that happened); times are source times in ms, null when nobody knows them.
 */
export const GapRecord = Type.Object(
  {
    device: Type.Optional(Type.String({ minLength: 1 })),
    first: Offset,
    last: Offset,
    count: Type.Integer({ minimum: 0 }),
    cause: GapCause,
    firstTime: Type.Union([Type.Integer(), Type.Null()]),
    lastTime: Type.Union([Type.Integer(), Type.Null()]),
  },
  { additionalProperties: false },
)
export type GapRecord = Static<typeof GapRecord>
