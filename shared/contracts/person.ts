import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { Trade } from './priority.ts'
import { LocalizedText } from './text.ts'

/** Presets of rights and of the console's home; rights decide, roles only preset. */
export const ROLES = ['administrator', 'engineer', 'operator', 'technician', 'lead', 'manager', 'external'] as const
export const Role = Type.Enum(ROLES)
export type Role = (typeof ROLES)[number]

/** A person as a chip shows them. */
export const PersonRef = Type.Object({ id: Id, name: Type.String() })
export type PersonRef = Static<typeof PersonRef>

export const Person = Type.Object({
  id: Id,
  name: Type.String(),
  userName: nullable(Type.String()),
  title: nullable(Type.String()),
  department: nullable(Type.Object({ id: Id, name: LocalizedText })),
  roles: Type.Array(Role),
  trades: Type.Array(Trade),
  isOnDuty: Type.Boolean(),
})
export type Person = Static<typeof Person>

export const Department = Type.Object({
  id: Id,
  parentId: nullable(Id),
  name: LocalizedText,
  position: Type.Integer(),
  memberCount: Type.Integer(),
})
export type Department = Static<typeof Department>

/** `GET /api/session`: who is signed in and what the console may show. */
export const Session = Type.Object({
  person: Person,
  organisation: Type.Object({ id: Id, name: LocalizedText }),
  /** Server time at the answer, so that clocks run on server time. */
  now: Instant,
  expiresAt: Instant,
  unreadInbox: Type.Integer(),
})
export type Session = Static<typeof Session>

export const SignIn = Type.Object(
  { username: Type.String({ minLength: 1, maxLength: 200 }), password: Type.String({ minLength: 1, maxLength: 1000 }) },
  { additionalProperties: false },
)
export type SignIn = Static<typeof SignIn>
