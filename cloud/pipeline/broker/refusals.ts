import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'

/** Distinct faults remembered; beyond it the oldest is forgotten and may be told again. */
const REMEMBERED = 1000
/** One line for each fault of each sender in this time. */
const TOLD_EVERY_MS = 300_000

/** Counts every message or connection that was refused, and tells each kind of fault of each sender once in five minutes. */
export type Refuse = (reason: string, sender: string, detail?: Readonly<Record<string, unknown>>) => void

/** Makes the book of refusals. `reason` is a constant in kebab-case, e.g. `bad-secret`; `now` gives monotonic ms. */
export function refusals(log: Log, metrics: PipelineMetrics | undefined, now = () => performance.now()): Refuse {
  const told = new Map<string, { readonly at: number; since: number }>()
  return (reason, sender, detail = {}) => {
    metrics?.count('mqtt_refused_total', 1, { reason })
    const key = `${reason} ${sender}`
    const last = told.get(key)
    if (last && now() - last.at < TOLD_EVERY_MS) {
      last.since += 1
      return
    }
    told.delete(key)
    told.set(key, { at: now(), since: 0 })
    if (told.size > REMEMBERED) told.delete(told.keys().next().value ?? '')
    const untold = last && last.since > 0 ? { sinceLastLine: last.since } : {}
    log.warn(
      { reason, sender, ...detail, ...untold },
      'Refused an MQTT client or message; more of this kind are counted',
    )
  }
}
