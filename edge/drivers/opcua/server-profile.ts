/** Servers whose limits are known, as the setting `server` names them. */
export const SERVERS = ['unknown', 's7-1200', 's7-1500', 'kepware', 'ignition'] as const
export type ServerName = (typeof SERVERS)[number]

/** What a kind of server can take. */
export interface ServerProfile {
  /** Monitored items created in one request. */
  readonly batch: number
  /** Monitored items in all. */
  readonly maxItems: number
  /** Whether it applies a deadband; where it does not, the edge does. */
  readonly hasFilter: boolean
}

/** From the makers' manuals; `unknown` is small enough for any server seen so far. */
const PROFILES: Readonly<Record<ServerName, ServerProfile>> = {
  unknown: { batch: 50, maxItems: 100_000, hasFilter: true },
  's7-1200': { batch: 100, maxItems: 1000, hasFilter: false },
  's7-1500': { batch: 500, maxItems: 10_000, hasFilter: true },
  kepware: { batch: 1000, maxItems: 100_000, hasFilter: true },
  ignition: { batch: 100, maxItems: 100_000, hasFilter: true },
}

/** The limits of a server, with what edge.yaml says otherwise. */
export function serverProfile(settings: {
  readonly server: ServerName
  readonly batch?: number | undefined
}): ServerProfile {
  const profile = PROFILES[settings.server]
  return settings.batch === undefined ? profile : { ...profile, batch: settings.batch }
}
