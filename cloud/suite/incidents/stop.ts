import type { IncidentDeps } from './deps.ts'

/** Since when the machine stands by its own state tag; null while it runs, and for one that never told a state. */
export async function stoppedSince({ pipeline }: IncidentDeps, org: string, device: string): Promise<Date | null> {
  const [state] = await pipeline.detection.machineStates(org, [device])
  const stands = state && state.state !== 'running' && state.state !== 'no-data'
  return stands ? new Date(state.since) : null
}
