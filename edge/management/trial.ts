/** How the agent does, as far as a new configuration is answerable for it. */
export interface Health {
  readonly isConnected: boolean
  /** Devices that answer. */
  readonly alive: readonly string[]
  /** Devices of the configuration that runs. */
  readonly configured: readonly string[]
}

/** Why a configuration is taken back: in English, and by which a screen words it. */
export interface WhyBack {
  readonly reason: string
  readonly code: string
  readonly params?: Readonly<Record<string, string | number>>
}

/**
 * What is wrong with a new configuration; undefined when it is healthy: the cloud is reached, and every device that answered
 * before and is still configured answers again. A new device may be dead, since nothing worked there before.
 */
export function unhealthy(
  { isConnected, alive, configured }: Health,
  aliveBefore: readonly string[],
): WhyBack | undefined {
  if (!isConnected) return { reason: 'the cloud was not reached', code: 'not-reached' }
  const lost = aliveBefore.filter((device) => configured.includes(device) && !alive.includes(device))
  if (lost.length === 0) return undefined
  const devices = lost.slice(0, 5).join(', ')
  return { reason: `${devices} answered before and does not any more`, code: 'silenced', params: { devices } }
}

/** Starts after which a configuration that never proved itself is given up: the program ended each time. */
export const MOST_STARTS = 3
