import { type Static, Type } from 'typebox'
import { nullable } from './http.ts'

const Ms = Type.Integer({ minimum: 0 })
const Text = Type.String({ maxLength: 500 })
/** By which a screen words a text in the language of its reader; older boxes give English alone. */
export const Worded = {
  code: Type.Optional(Type.String({ maxLength: 100 })),
  params: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 500 }), Type.Number()]), { maxProperties: 20 }),
  ),
}
const Count = Type.Integer({ minimum: 0 })

/** A physical link of the box. */
export const ReportedLane = Type.Object({
  lane: Text,
  isOpen: Type.Boolean(),
  requests: Count,
  timeouts: Count,
  overruns: Count,
  waiting: Count,
  roundTripMs: Type.Number(),
})

/** A configured device as the box finds it. */
export const ReportedDevice = Type.Object({
  device: Text,
  protocol: Text,
  state: Type.Union([Type.Literal('connecting'), Type.Literal('answers'), Type.Literal('lost')]),
  since: Ms,
  /** Why it is lost, in words. */
  error: nullable(Text),
  /** Of the loss: `refused`, `silent`, …; a screen has words and a next step for each. */
  lossKind: Type.Optional(Type.String({ maxLength: 100 })),
  /** Tags that are bad although the device answers. */
  badTags: Count,
  overruns: Count,
})

/** Metric `Andon/Status` of an edge node, JSON: what the box knows of itself. Times in ms since 1970, by its own clock. */
export const EdgeReport = Type.Object({
  at: Ms,
  startedAt: Ms,
  memoryBytes: Count,
  configuration: Type.Object({
    /** Null: not a version of the cloud's. */
    version: nullable(Type.Integer()),
    /** SHA-256 of the document that runs. */
    hash: Type.String({ maxLength: 64 }),
    /** Hash of edge.yaml now; another than `hash` when it was changed by hand since the start. */
    fileHash: Type.String({ maxLength: 64 }),
    /** Profiles that count because their tags were imported on the local page: they are no part of the document. */
    imports: Type.Optional(
      Type.Array(Type.Object({ profile: Text, version: Type.Integer(), at: Ms }), { maxItems: 100 }),
    ),
    /** Until when a new configuration has to prove itself. */
    trialUntil: nullable(Ms),
    /** The last version that did not, and was taken back. */
    rolledBack: nullable(Type.Object({ version: Type.Integer(), at: Ms, reason: Text, ...Worded })),
  }),
  certificate: nullable(
    Type.Object({
      serial: Text,
      expiresAt: Ms,
      renewal: Type.Enum(['not-due', 'renewed', 'waits-for-confirmation', 'failed']),
    }),
  ),
  journal: Type.Object({
    depth: Count,
    sizeBytes: Count,
    maxBytes: Count,
    oldestAt: nullable(Ms),
    discarded: Count,
  }),
  uplink: Type.Object({ connects: Count, resent: Count, backlog: Count }),
  lanes: Type.Array(ReportedLane),
  /** Those that do not answer first; at most 200. */
  devices: Type.Array(ReportedDevice),
  /** Lanes and devices left out. */
  leftOut: Count,
})
export type EdgeReport = Static<typeof EdgeReport>
