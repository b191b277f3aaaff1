import type { Tx } from '#cloud/platform/database/database.ts'
import { activityOf } from '../kernel/index.ts'

/** One fact of a retro's activity, as far as authorship asks. */
export interface RetroAct {
  readonly type: string
  readonly actor_id: string | null
  readonly at: Date
  readonly data: unknown
}

/**
 * Who wrote the retro or sent it to review: they do not approve it, a second person does. What a reviewer mends while it is
 * in review makes no author of them, because the author's version stood before their eyes.
 */
export function authorsOf(activity: readonly RetroAct[]): ReadonlySet<string> {
  const wrote = activity.filter(
    (act) => act.type === 'retro.submitted' || (act.type === 'retro.changed' && !mends(act)),
  )
  return new Set(wrote.flatMap((act) => act.actor_id ?? []))
}

const mends = ({ data }: RetroAct): boolean =>
  typeof data === 'object' && data !== null && 'state' in data && data.state === 'in_review'

/** The authors of one retro, read from its activity. */
export async function authorsOfRetro(tx: Tx, id: string): Promise<ReadonlySet<string>> {
  return authorsOf(await activityOf(tx, [id]))
}

/** Why a draft was sent back, until it is sent in again; undefined for one that was not. */
export function returnOf(activity: readonly RetroAct[]): (RetroAct & { readonly reason: string }) | undefined {
  const last = activity.findLast((act) => act.type === 'retro.returned' || act.type === 'retro.submitted')
  if (last?.type !== 'retro.returned') return undefined
  const reason = typeof last.data === 'object' && last.data !== null && 'reason' in last.data ? last.data.reason : null
  return { ...last, reason: String(reason ?? '') }
}
