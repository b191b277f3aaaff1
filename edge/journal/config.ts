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
    maxMb: Type.Integer({
      minimum: 4,
      default: 4096,
      description: 'Beyond this size the oldest samples are thinned, and given up when that is not enough',
    }),
    thinSeconds: Type.Integer({
      minimum: 0,
      maximum: 3600,
      default: 60,
      description:
        'What is thinned keeps the lowest, the highest and the last value of each tag in this time. 0: given up without thinning',
    }),
    maxAgeHours: Type.Number({ exclusiveMinimum: 0, default: 720, description: 'Beyond this age they are given up' }),
    minFreeMb: Type.Integer({
      minimum: 0,
      default: 256,
      description: 'They are thinned and given up too while the disk has less than this left',
    }),
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
  thinSeconds: 60,
  maxAgeHours: 720,
  minFreeMb: 256,
  ballastMb: 16,
}

/** Bytes at which a segment is closed: at most a quarter of all, so that giving one up leaves the others. */
export const segmentBytesOf = ({ segmentMb, maxMb }: JournalConfig): number =>
  Math.min(segmentMb, maxMb / 4) * 1024 * 1024
