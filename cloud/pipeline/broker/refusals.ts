import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'

/** Distinct faults remembered; beyond it the oldest is forgotten and may be told again. */
const REMEMBERED = 1000

/** Counts every message or connection that was refused, and tells each kind of fault of each sender once. */
export type Refuse = (reason: string, sender: string, detail?: Readonly<Record<string, unknown>>) => void

/** Makes the book of refusals. `reason` is a constant in kebab-case, e.g. `bad-secret`. */
export function refusals(log: Log, metrics: PipelineMetrics | undefined): Refuse {
  const told = new Set<string>()
  return (reason, sender, detail = {}) => {
    metrics?.count('mqtt_refused_total', 1, { reason })
    const key = `${reason} ${sender}`
    if (told.has(key)) return
    told.add(key)
    if (told.size > REMEMBERED) for (const oldest of told.keys()) return void told.delete(oldest)
    log.warn(
      { reason, sender, ...detail },
      'Refused an MQTT client or message; later ones of this kind are only counted',
    )
  }
}
