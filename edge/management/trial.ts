/** How the agent does, as far as a new configuration is answerable for it. */
export interface Health {
  readonly isConnected: boolean
  /** Devices that answer. */
  readonly alive: readonly string[]
  /** Devices of the configuration that runs. */
  readonly configured: readonly string[]
}

/**
 * What is wrong with a new configuration; undefined when it is healthy: the cloud is reached, and every device that answered
 * before and is still configured answers again. A new device may be dead, since nothing worked there before.
 */
export function unhealthy(
  { isConnected, alive, configured }: Health,
  aliveBefore: readonly string[],
): string | undefined {
  if (!isConnected) return 'the cloud was not reached'
  const lost = aliveBefore.filter((device) => configured.includes(device) && !alive.includes(device))
  return lost.length === 0 ? undefined : `${lost.slice(0, 5).join(', ')} answered before and does not any more`
}

/** Starts after which a configuration that never proved itself is given up: the program ended each time. */
export const MOST_STARTS = 3
