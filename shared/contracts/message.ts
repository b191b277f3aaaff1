import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { ActionOffer } from './incident.ts'
import { PersonRef } from './person.ts'
import { LocalizedText } from './text.ts'

export const Channel = Type.Object({
  id: Id,
  kind: Type.Union([Type.Literal('incident'), Type.Literal('record'), Type.Literal('group'), Type.Literal('direct')]),
  name: LocalizedText,
  recordId: nullable(Id),
  members: Type.Array(PersonRef),
  unreadCount: Type.Integer(),
  lastMessageAt: nullable(Instant),
})
export type Channel = Static<typeof Channel>

/** A message of a person, or a system line, or a card that shows a record's current state. */
export const Message = Type.Object({
  id: Id,
  channelId: Id,
  seq: Type.Integer(),
  kind: Type.Union([Type.Literal('text'), Type.Literal('system'), Type.Literal('card')]),
  author: nullable(PersonRef),
  text: nullable(Type.String()),
  /** System lines carry both languages. */
  localized: nullable(LocalizedText),
  recordId: nullable(Id),
  at: Instant,
})
export type Message = Static<typeof Message>

/** `POST /api/messages` with an `Idempotency-Key`, so that an offline outbox may send again. */
export const MessagePost = Type.Object(
  { channelId: Id, text: Type.String({ minLength: 1, maxLength: 10_000 }) },
  { additionalProperties: false },
)

/** A record's current state for the asking viewer: same everywhere, acts in place. */
export const Card = Type.Object({
  record: Type.Object({
    id: Id,
    type: Type.String(),
    number: nullable(Type.String()),
    title: LocalizedText,
    state: Type.String(),
    revision: Type.Integer(),
  }),
  fields: Type.Array(Type.Object({ key: Type.String(), value: Type.Union([Type.String(), LocalizedText]) })),
  href: Type.String(),
  actions: Type.Array(ActionOffer),
})
export type Card = Static<typeof Card>
