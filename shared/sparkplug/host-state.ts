/** Reads the birth or death of a host; undefined when it is none of Sparkplug 3.0. `timestamp` in ms since 1970. */
export function readState(payload: Uint8Array): { readonly online: boolean; readonly timestamp: number } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    if (typeof value !== 'object' || value === null || !('online' in value) || !('timestamp' in value)) return undefined
    const { online, timestamp } = value
    return typeof online === 'boolean' && typeof timestamp === 'number' ? { online, timestamp } : undefined
  } catch {
    return undefined
  }
}
