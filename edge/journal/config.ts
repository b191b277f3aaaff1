import { type Static, Type } from 'typebox'

/** Section `journal` of edge.yaml. */
export const JournalConfig = Type.Object(
  {
    commitSpacingMs: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 20,
      description: 'Shortest time between two commits: more spares the flash memory, less lowers latency',
    }),
    segmentMb: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 64,
      description: 'A segment is closed at this size',
    }),
    segmentMinutes: Type.Number({ exclusiveMinimum: 0, maximum: 1440, default: 10, description: 'or at this age' }),
    maxMb: Type.Integer({ minimum: 4, default: 4096, description: 'Oldest samples are given up beyond this size' }),
    maxAgeHours: Type.Number({ exclusiveMinimum: 0, default: 720, description: 'or beyond this age' }),
    minFreeMb: Type.Integer({ minimum: 0, default: 256, description: 'or when the disk has less than this left' }),
    ballastMb: Type.Integer({ minimum: 0, maximum: 1024, default: 16, description: 'Reserve file, given up first' }),
  },
  { additionalProperties: false },
)
export type JournalConfig = Static<typeof JournalConfig>

/** What applies when edge.yaml has no section `journal`. */
export const JOURNAL_DEFAULTS: JournalConfig = {
  commitSpacingMs: 20,
  segmentMb: 64,
  segmentMinutes: 10,
  maxMb: 4096,
  maxAgeHours: 720,
  minFreeMb: 256,
  ballastMb: 16,
}
