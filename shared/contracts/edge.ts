import { type Static, Type } from 'typebox'
import { EdgeReport, Worded } from './edge-report.ts'
import { Id, Instant, nullable } from './http.ts'

export const Device = Type.Object({
  id: Id,
  group: Type.String(),
  edge: Type.String(),
  device: Type.String(),
  profile: nullable(Type.String()),
  assetId: nullable(Id),
  status: Type.Union([Type.Literal('online'), Type.Literal('offline'), Type.Literal('stale')]),
  bornAt: nullable(Instant),
  tagCount: Type.Integer(),
  badTagCount: Type.Integer(),
})
export type Device = Static<typeof Device>

/** How what an edge runs stands to what was pushed to it. */
export const EdgeConfigurationState = Type.Object({
  /**
   * `unknown`: the box tells nothing; `unmanaged`: nothing was pushed yet; `in-step`; `on-trial`: it has to prove itself until
   * `trialUntil`; `rolled-back`: it did not; `drift`: the box runs, or has in its file, something else than was pushed.
   */
  state: Type.Enum(['unknown', 'unmanaged', 'in-step', 'on-trial', 'rolled-back', 'drift']),
  wantedVersion: nullable(Type.Integer()),
  runningVersion: nullable(Type.Integer()),
  runningHash: nullable(Type.String()),
  /** edge.yaml was changed by hand and is not in use yet. */
  isEdited: Type.Boolean(),
  trialUntil: nullable(Instant),
  rolledBack: nullable(Type.Object({ version: Type.Integer(), at: Instant, reason: Type.String(), ...Worded })),
})
export type EdgeConfigurationState = Static<typeof EdgeConfigurationState>

/** Something wrong with a box. `detail` words it in English; `code` and `params` are for those who word it themselves. */
export const EdgeFault = Type.Object({
  code: Type.String(),
  params: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
  detail: Type.String(),
})
export type EdgeFault = Static<typeof EdgeFault>

/** One edge box as the fleet screen shows it. */
export const Edge = Type.Object({
  id: Id,
  group: Type.String(),
  edge: Type.String(),
  name: Type.String(),
  status: Type.Union([Type.Literal('online'), Type.Literal('offline'), Type.Literal('stale'), Type.Literal('never')]),
  connectedAt: nullable(Instant),
  lastMessageAt: nullable(Instant),
  /** Samples accepted on the box and not yet acknowledged; decimal string. */
  journalDepth: Type.String(),
  gapCount: Type.Integer(),
  lastGap: nullable(
    Type.Object({
      device: nullable(Type.String()),
      from: Instant,
      to: Instant,
      count: Type.String(),
      cause: Type.String(),
    }),
  ),
  deviceCount: Type.Integer(),
  tagCount: Type.Integer(),
  configuration: EdgeConfigurationState,
  /** What the box last told of itself; null for one that tells nothing. */
  report: nullable(EdgeReport),
  /** What is wrong, in words with the next step; empty when nothing is. */
  faults: Type.Array(EdgeFault),
})
export type Edge = Static<typeof Edge>

/** `POST /api/edges`: registers a box; the secret is shown once. */
export const EdgeRegistration = Type.Object(
  { group: Type.String({ minLength: 1 }), edge: Type.String({ minLength: 1 }), name: Type.Optional(Type.String()) },
  { additionalProperties: false },
)
export type EdgeRegistration = Static<typeof EdgeRegistration>

/** How a box reaches the broker. */
export const EdgeBroker = Type.Object({
  /** Address of an external broker; null: the ports below, under the host of the console. */
  url: nullable(Type.String()),
  /** Without TLS, for this machine alone. */
  port: Type.Integer(),
  tlsPort: nullable(Type.Integer()),
  /** True when the port with TLS, too, is open to this machine alone. */
  isLocal: Type.Boolean(),
  /** SHA-256 of the root that `GET /ca` gives and whoever uses the port with TLS must trust; null: another authority signed. */
  rootFingerprint: nullable(Type.String()),
})
export type EdgeBroker = Static<typeof EdgeBroker>

export const EdgeRegistered = Type.Object({
  edge: Edge,
  username: Type.String(),
  secret: Type.String(),
  broker: EdgeBroker,
})
export type EdgeRegistered = Static<typeof EdgeRegistered>
