import type { EdgeStatus } from '#cloud/pipeline/index.ts'
import type { EdgeConfigurationState } from '#shared/contracts/edge.ts'

/** A version that an edge ought to run. */
export interface Wanted {
  readonly version: number
  readonly hash: string
}

/** How what an edge runs stands to what was pushed to it. */
export function configurationState({ report }: EdgeStatus, wanted: Wanted | undefined): EdgeConfigurationState {
  const told = report?.configuration
  return {
    state: stateOf(told, wanted),
    wantedVersion: wanted?.version ?? null,
    runningVersion: told?.version ?? null,
    runningHash: told?.hash ?? null,
    isEdited: told !== undefined && told.fileHash !== told.hash,
    trialUntil: told?.trialUntil ? new Date(told.trialUntil).toISOString() : null,
    rolledBack: told?.rolledBack ? { ...told.rolledBack, at: new Date(told.rolledBack.at).toISOString() } : null,
  }
}

type Told = NonNullable<EdgeStatus['report']>['configuration']

function stateOf(told: Told | undefined, wanted: Wanted | undefined): EdgeConfigurationState['state'] {
  if (!told) return 'unknown'
  if (told.trialUntil !== null) return 'on-trial'
  if (!wanted) return 'unmanaged'
  if (told.hash === wanted.hash && told.fileHash === told.hash) return 'in-step'
  return told.rolledBack?.version === wanted.version ? 'rolled-back' : 'drift'
}
