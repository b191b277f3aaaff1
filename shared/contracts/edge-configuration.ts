import { type Static, Type } from 'typebox'
import { Worded } from './edge-report.ts'
import { Id, Instant, nullable } from './http.ts'

/** Documents up to this size travel in the command; longer ones are fetched. */
export const MAX_DOCUMENT_IN_COMMAND = 65_536
/** Longest document that is kept. */
export const MAX_DOCUMENT = 900_000
/** SHA-256, hexadecimal. */
export const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** What the authority signs: one version for one edge, in the place of what the edge has now. */
export interface ConfigurationStatement {
  readonly group: string
  readonly edge: string
  readonly version: number
  readonly hash: string
  /** Hash of what it replaces, so that neither an old push nor one for another edge is taken. */
  readonly replaces: string
}

/** The signed text. */
export const configurationStatement = ({ group, edge, version, hash, replaces }: ConfigurationStatement): string =>
  `andon edge configuration v1\n${encodeURIComponent(group)}/${encodeURIComponent(edge)}\n${version}\n${hash}\n${replaces}\n`

/** What a box signs to fetch a document that is too long for a command. */
export const fetchStatement = ({
  hash,
  certificate,
}: {
  readonly hash: string
  readonly certificate: string
}): string => `andon edge configuration fetch v1\n${certificate.trim()}\n${hash}\n`

/** What a box signs to tell which document it runs, when the cloud has none for it. */
export const reportStatement = ({
  document,
  certificate,
}: {
  readonly document: string
  readonly certificate: string
}) => `andon edge configuration report v1\n${certificate.trim()}\n${document}`

const closed = { additionalProperties: false } as const
const Proof = { certificate: Type.String({ maxLength: 8_000 }), signature: Type.String({ maxLength: 400 }) }

/** `POST /api/edge-configuration-fetches`, from a box. */
export const ConfigurationFetch = Type.Object({ ...Proof, hash: Hash }, closed)
export type ConfigurationFetch = Static<typeof ConfigurationFetch>
export const ConfigurationFetched = Type.Object({ document: Type.String() })

/** `POST /api/edge-configuration-reports`, from a box: the document that it runs. */
export const ConfigurationReport = Type.Object(
  { ...Proof, document: Type.String({ minLength: 1, maxLength: MAX_DOCUMENT }) },
  closed,
)
export type ConfigurationReport = Static<typeof ConfigurationReport>

/** One kind of value that stands at a place, as its schema says: bounds are JSON Schema keywords with their values. */
export const Accepted = Type.Object({
  type: nullable(Type.String()),
  values: Type.Array(Type.String()),
  bounds: Type.Array(Type.Object({ bound: Type.String(), value: Type.String() })),
  /** In plain English words, where the keywords would be hard to read. */
  words: nullable(Type.String()),
})
export type Accepted = Static<typeof Accepted>

/** One fault of a document, as the box found it; `expected` and `fix` word it in English. */
export const ConfigurationFault = Type.Object({
  line: nullable(Type.Integer()),
  column: nullable(Type.Integer()),
  /** `devices[0].modbus.port`; empty for the whole document. */
  path: Type.String(),
  found: nullable(Type.String()),
  expected: Type.String(),
  fix: Type.String(),
  ...Worded,
  /** What may stand there, any of them. */
  accepts: Type.Optional(Type.Array(Accepted)),
})
export type ConfigurationFault = Static<typeof ConfigurationFault>

/** `POST /api/edges/:id/configuration-checks`: the box reads the document and changes nothing. */
export const ConfigurationDocument = Type.Object(
  { document: Type.String({ minLength: 1, maxLength: MAX_DOCUMENT }) },
  closed,
)
export const ConfigurationChecked = Type.Object({ faults: Type.Array(ConfigurationFault) })
export type ConfigurationChecked = Static<typeof ConfigurationChecked>

export const NewConfiguration = Type.Object(
  { ...ConfigurationDocument.properties, reason: Type.Optional(Type.String({ maxLength: 500 })) },
  closed,
)

const STATUSES = ['done', 'refused', 'failed', 'sent', 'timed-out'] as const

/** One time that a version was sent to its edge. `status` null: under way. */
export const ConfigurationPush = Type.Object({
  id: Id,
  version: Type.Integer(),
  by: Type.String(),
  at: Instant,
  reason: nullable(Type.String()),
  status: nullable(Type.Enum([...STATUSES])),
  /** Why it was not taken, in words. */
  error: nullable(Type.String()),
  ...Worded,
  faults: Type.Array(ConfigurationFault),
})
export type ConfigurationPush = Static<typeof ConfigurationPush>

/** `POST /api/edges/:id/configuration-versions/:version/pushes`. */
export const PushRequest = Type.Object(
  {
    reason: Type.Optional(Type.String({ maxLength: 500 })),
    /** Hash of what the box has; needed to overwrite what was changed at the box. */
    replaces: Type.Optional(Hash),
  },
  closed,
)

/** A version in the history of an edge. */
export const ConfigurationVersion = Type.Object({
  version: Type.Integer(),
  hash: Hash,
  /** `edge`: found at the box. */
  source: Type.Union([Type.Literal('person'), Type.Literal('edge')]),
  by: Type.String(),
  at: Instant,
  reason: nullable(Type.String()),
  /** The box says that it runs this one. */
  isRunning: Type.Boolean(),
  /** The last one that was pushed and taken. */
  isWanted: Type.Boolean(),
})
export type ConfigurationVersion = Static<typeof ConfigurationVersion>

export const ConfigurationWithDocument = Type.Object({
  ...ConfigurationVersion.properties,
  document: Type.String(),
})
export type ConfigurationWithDocument = Static<typeof ConfigurationWithDocument>

/** One line of a difference. */
export const DifferenceLine = Type.Object({
  kind: Type.Union([Type.Literal('same'), Type.Literal('removed'), Type.Literal('added')]),
  text: Type.String(),
})
export const ConfigurationDifference = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  lines: Type.Array(DifferenceLine),
})
export type ConfigurationDifference = Static<typeof ConfigurationDifference>
