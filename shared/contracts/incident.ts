import { type Static, Type } from 'typebox'
import { AssetRef } from './asset.ts'
import { Id, Instant, nullable } from './http.ts'
import { PersonRef } from './person.ts'
import { Priority, Severity, Trade } from './priority.ts'
import { LocalizedText } from './text.ts'

export const INCIDENT_STATES = [
  'open',
  'acknowledged',
  'working',
  'contained',
  'restored',
  'review',
  'closed',
  'merged',
  'cancelled',
] as const
export const IncidentState = Type.Enum(INCIDENT_STATES)
export type IncidentState = (typeof INCIDENT_STATES)[number]

/** The seven clocks of an incident, in their order. */
export const CLOCKS = ['detect', 'notify', 'acknowledge', 'accept', 'arrive', 'contain', 'restore'] as const
export const Clock = Type.Object({
  clock: Type.Enum(CLOCKS),
  /** When it stopped; null while it runs. */
  at: nullable(Instant),
  /** From the incident's start (first activation, event time) to `at`. */
  seconds: nullable(Type.Number()),
  targetSeconds: nullable(Type.Number()),
  status: Type.Union([Type.Literal('pending'), Type.Literal('running'), Type.Literal('met'), Type.Literal('missed')]),
  by: nullable(PersonRef),
})
export type Clock = Static<typeof Clock>

/** One called person's own clock. */
export const Responder = Type.Object({
  person: PersonRef,
  trade: nullable(Trade),
  pageId: nullable(Id),
  pagedAt: nullable(Instant),
  deliveredAt: nullable(Instant),
  seenAt: nullable(Instant),
  acceptedAt: nullable(Instant),
  etaMinutes: nullable(Type.Integer()),
  arrivedAt: nullable(Instant),
  declinedAt: nullable(Instant),
})
export type Responder = Static<typeof Responder>

export const IncidentSummary = Type.Object({
  id: Id,
  number: Type.String(),
  title: LocalizedText,
  severity: Severity,
  priority: Priority,
  state: IncidentState,
  asset: AssetRef,
  assetPath: Type.Array(AssetRef),
  startedAt: Instant,
  openedAt: Instant,
  restoredAt: nullable(Instant),
  closedAt: nullable(Instant),
  acceptedBy: Type.Array(PersonRef),
  workOrderNumbers: Type.Array(Type.String()),
  revision: Type.Integer(),
})
export type IncidentSummary = Static<typeof IncidentSummary>

/** What the viewer may do now; `reason` says why one is disabled. */
export const ActionOffer = Type.Object({
  action: Type.String(),
  isPrimary: Type.Boolean(),
  isEnabled: Type.Boolean(),
  reason: nullable(Type.String()),
})
export type ActionOffer = Static<typeof ActionOffer>

export const Incident = Type.Object({
  ...IncidentSummary.properties,
  causeId: Id,
  channelId: Id,
  clocks: Type.Array(Clock),
  responders: Type.Array(Responder),
  alarms: Type.Array(
    Type.Object({
      alarmId: Id,
      occurrenceId: Id,
      name: LocalizedText,
      priority: Priority,
      tagPath: Type.String(),
      activatedAt: Instant,
      returnedAt: nullable(Instant),
      isFirstOut: Type.Boolean(),
      order: Type.Integer(),
    }),
  ),
  /** Where restore comes from, and what it waits for. */
  restore: Type.Object({
    provenBy: nullable(Type.Union([Type.Literal('state-tag'), Type.Literal('hand')])),
    waitingFor: nullable(Type.String()),
  }),
  trendTags: Type.Array(Type.String()),
  retroId: nullable(Id),
  actions: Type.Array(ActionOffer),
})
export type Incident = Static<typeof Incident>

/** `POST /api/incidents/:id/transitions` */
export const IncidentTransition = Type.Object(
  {
    to: Type.Union([
      Type.Literal('contained'),
      Type.Literal('restored'),
      Type.Literal('review'),
      Type.Literal('closed'),
      Type.Literal('cancelled'),
    ]),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)

/** `POST /api/incidents/:id/responses`: seen (收到), accept (接单), arrive (到场), decline (无法前往). */
export const IncidentResponse = Type.Object(
  {
    response: Type.Union([
      Type.Literal('seen'),
      Type.Literal('accept'),
      Type.Literal('arrive'),
      Type.Literal('decline'),
    ]),
    etaMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 600 })),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)

/** `POST /api/incidents/:id/calls`: page more people. */
export const IncidentCall = Type.Object(
  { personIds: Type.Array(Id, { minItems: 1, maxItems: 50 }), note: Type.Optional(Type.String({ maxLength: 1000 })) },
  { additionalProperties: false },
)

/** One fact of a record's life, with who and when: activity, alarm log and messages share this shape in a timeline. */
export const TimelineEntry = Type.Object({
  id: Type.String(),
  at: Instant,
  source: Type.Union([Type.Literal('machine'), Type.Literal('person'), Type.Literal('system')]),
  type: Type.String(),
  actor: nullable(PersonRef),
  text: nullable(LocalizedText),
  recordId: nullable(Id),
  recordNumber: nullable(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
})
export type TimelineEntry = Static<typeof TimelineEntry>
