import { createHash } from 'node:crypto'

/** UUIDv8 (RFC 9562) from the SHA-256 of the parts, so that edge, cloud and a replay agree on the id. */
export function uuidV8(...parts: readonly (string | number)[]): string {
  const bytes = createHash('sha256').update(parts.join('\n')).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * The version of alarms that a device judges itself: they have no definition of ours whose versions could differ. Their name in
 * the path is the device's own.
 */
export const DEVICE_ALARM_VERSION = 0

/** Id of an alarm point from its path `group/edge/device/alarm`. */
export const pointId = (path: string) => uuidV8('alarm-point', path)

/** Id of an occurrence: alarm point, definition version, source time in ms of the sample that began it. */
export const occurrenceId = (path: string, version: number, beganAt: number) =>
  uuidV8('occurrence', path, version, beganAt)
