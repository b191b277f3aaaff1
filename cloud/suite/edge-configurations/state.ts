import type { EdgeStatus } from '#cloud/pipeline/index.ts'
import type { EdgeConfigurationState } from '#shared/contracts/edge.ts'

/** A version that an edge ought to run: that of the last push that it took. */
export interface Wanted {
  readonly version: number
  readonly hash: string
  /** Hash of what it took the place of. */
  readonly replaces: string
  /** When the edge said so, ms since 1970. */
  readonly takenAt: number
}

type Told = NonNullable<EdgeStatus['report']>['configuration']

/** How what an edge runs stands to what was pushed to it. */
export function configurationState(
  { report }: Pick<EdgeStatus, 'report'>,
  wanted: Wanted | undefined,
  now: number,
): EdgeConfigurationState {
  const told = report?.configuration
  const isUnheard = told !== undefined && wanted !== undefined && isBeforePush(told, wanted, now)
  const trialUntil = isUnheard ? wanted.takenAt + TRIAL_MS : told?.trialUntil
  return {
    state: isUnheard ? 'on-trial' : stateOf(told, wanted),
    wantedVersion: wanted?.version ?? null,
    runningVersion: (isUnheard ? wanted.version : told?.version) ?? null,
    runningHash: told?.hash ?? null,
    isEdited: told !== undefined && told.fileHash !== told.hash,
    trialUntil: trialUntil ? new Date(trialUntil).toISOString() : null,
    rolledBack: told?.rolledBack ? { ...told.rolledBack, at: new Date(told.rolledBack.at).toISOString() } : null,
  }
}

/** As the edge has it; then it tells what it runs. */
const TRIAL_MS = 300_000
/** Going back and connecting anew take their time. */
const HEARD_WITHIN_MS = TRIAL_MS + 60_000

/**
 * The edge took the version and has not told anything since: it starts anew, or tries in vain to connect. What it told before
 * is no drift, and that it went back from the same version once is of an earlier time.
 */
const isBeforePush = ({ hash, fileHash, trialUntil, rolledBack }: Told, wanted: Wanted, now: number): boolean =>
  trialUntil === null &&
  hash !== wanted.hash &&
  [hash, fileHash].includes(wanted.replaces) &&
  now - wanted.takenAt < HEARD_WITHIN_MS &&
  (rolledBack?.version !== wanted.version || rolledBack.at < wanted.takenAt)

function stateOf(told: Told | undefined, wanted: Wanted | undefined): EdgeConfigurationState['state'] {
  if (!told) return 'unknown'
  if (told.trialUntil !== null) return 'on-trial'
  if (!wanted) return 'unmanaged'
  if (told.hash === wanted.hash && told.fileHash === told.hash) return 'in-step'
  return told.rolledBack?.version === wanted.version ? 'rolled-back' : 'drift'
}
