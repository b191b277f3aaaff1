import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { WireValue } from './tag.ts'

/**
 * One value to be written: the tag by its name, integers beyond 2^53 as decimal strings. `expected`: what the sender believes
 * to be there now; when something else is, Andon's edges write nothing.
 */
export const TagWrite = Type.Object(
  { tag: Type.String({ minLength: 1, maxLength: 200 }), value: WireValue, expected: Type.Optional(WireValue) },
  { additionalProperties: false },
)
export type TagWrite = Static<typeof TagWrite>

/**
 * `POST /api/devices/:id/commands`: writes values to a device. The header `Idempotency-Key` is required and a UUID: it is the
 * command's id, and the same again is the same command.
 */
export const DeviceCommandRequest = Type.Object(
  { writes: Type.Array(TagWrite, { minItems: 1, maxItems: 100 }) },
  { additionalProperties: false },
)
export type DeviceCommandRequest = Static<typeof DeviceCommandRequest>

/**
 * What became of a command. `pending`: it is under way. `done`, `refused`, `failed`: the edge, or the cloud before anything
 * left, says so. `sent`: it left for an edge that answers no commands. `timed-out`: nobody knows whether it was carried out.
 */
export const DEVICE_COMMAND_STATUSES = ['pending', 'done', 'refused', 'failed', 'sent', 'timed-out'] as const

/** `GET /api/devices/:id/commands/:commandId`, and the answer to the POST: 202 while it is pending. */
export const DeviceCommand = Type.Object({
  id: Id,
  deviceId: Id,
  writes: Type.Array(TagWrite),
  askedBy: Type.String(),
  askedAt: Instant,
  status: Type.Enum([...DEVICE_COMMAND_STATUSES]),
  /** In words, unless it is pending, done or sent. */
  error: nullable(Type.String()),
  settledAt: nullable(Instant),
})
export type DeviceCommand = Static<typeof DeviceCommand>
