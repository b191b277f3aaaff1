import { type Static, Type } from 'typebox'
import { AssetRef } from './asset.ts'
import { Id, Instant, nullable } from './http.ts'
import { ActionOffer, Clock, TimelineEntry } from './incident.ts'
import { PersonRef } from './person.ts'
import { Severity } from './priority.ts'
import { LocalizedText } from './text.ts'

export const RETRO_STATES = [
  'pending',
  'drafting',
  'in_review',
  'approved',
  'actions_open',
  'effective',
  'recurred',
  'not_required',
] as const
export const RetroState = Type.Enum(RETRO_STATES)

export const RetroAction = Type.Object({
  id: Id,
  text: Type.String(),
  type: Type.Union([Type.Literal('contain'), Type.Literal('correct'), Type.Literal('prevent')]),
  owner: nullable(PersonRef),
  dueAt: nullable(Instant),
  doneAt: nullable(Instant),
})
export type RetroAction = Static<typeof RetroAction>

/** The retrospective of one incident. Facts are references to immutable events; prose is people's. */
export const Retro = Type.Object({
  id: Id,
  number: Type.String(),
  title: LocalizedText,
  state: RetroState,
  severity: Severity,
  incident: Type.Object({ id: Id, number: Type.String() }),
  asset: AssetRef,
  startedAt: Instant,
  restoredAt: nullable(Instant),
  downtimeSeconds: nullable(Type.Number()),
  clocks: Type.Array(Clock),
  firstOut: Type.Array(
    Type.Object({
      order: Type.Integer(),
      occurrenceId: Id,
      name: LocalizedText,
      tagPath: Type.String(),
      at: Instant,
      offsetSeconds: Type.Number(),
      value: nullable(Type.Union([Type.Number(), Type.Boolean(), Type.String()])),
    }),
  ),
  trend: Type.Object({ tags: Type.Array(Type.String()), from: Instant, to: Instant }),
  timeline: Type.Array(TimelineEntry),
  workOrders: Type.Array(
    Type.Object({
      id: Id,
      number: Type.String(),
      state: Type.String(),
      assignee: nullable(PersonRef),
      failure: nullable(Type.Object({ mode: Type.String(), cause: Type.String(), remedy: Type.String() })),
    }),
  ),
  people: Type.Array(Type.Object({ person: PersonRef, acceptedAt: nullable(Instant), arrivedAt: nullable(Instant) })),
  /** 5-Why skeleton: prose by people. */
  whys: Type.Array(Type.Object({ question: LocalizedText, answer: nullable(Type.String()) })),
  summary: nullable(Type.String()),
  /** The draft's own one-paragraph account, made from the facts alone. */
  draftSummary: LocalizedText,
  actions: Type.Array(RetroAction),
  similar: Type.Array(Type.Object({ id: Id, number: Type.String(), title: LocalizedText, at: Instant })),
  missing: Type.Array(Type.Object({ code: Type.String(), text: LocalizedText })),
  createdAt: Instant,
  /** Why it is a draft again; null once it is sent in anew. */
  returned: nullable(Type.Object({ by: nullable(PersonRef), at: Instant, reason: Type.String() })),
  approvedBy: nullable(PersonRef),
  approvedAt: nullable(Instant),
  revision: Type.Integer(),
  offers: Type.Array(ActionOffer),
})
export type Retro = Static<typeof Retro>

export const RetroSummary = Type.Object({
  id: Id,
  number: Type.String(),
  title: LocalizedText,
  state: RetroState,
  severity: Severity,
  incident: Type.Object({ id: Id, number: Type.String() }),
  asset: AssetRef,
  startedAt: Instant,
  downtimeSeconds: nullable(Type.Number()),
  createdAt: Instant,
})
export type RetroSummary = Static<typeof RetroSummary>

/** `PATCH /api/retros/:id` with `If-Match`. */
export const RetroEdit = Type.Object(
  {
    summary: Type.Optional(Type.String({ maxLength: 20_000 })),
    whys: Type.Optional(Type.Array(Type.String({ maxLength: 2000 }), { maxItems: 10 })),
    actions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            text: Type.String({ minLength: 1, maxLength: 1000 }),
            type: Type.Union([Type.Literal('contain'), Type.Literal('correct'), Type.Literal('prevent')]),
            ownerId: Type.Optional(Id),
            dueAt: Type.Optional(Instant),
          },
          { additionalProperties: false },
        ),
        { maxItems: 50 },
      ),
    ),
  },
  { additionalProperties: false },
)

/** `POST /api/retros/:id/transitions` */
export const RetroTransition = Type.Object(
  {
    to: Type.Union([Type.Literal('in_review'), Type.Literal('approved'), Type.Literal('drafting')]),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)
