import type { Edge, EdgeFault } from '#shared/contracts/edge.ts'
import type { Role } from '#shared/contracts/person.ts'

const DAY_MS = 86_400_000
/** A certificate of 90 days is renewed at two thirds of its life; with so little left something keeps it from that. */
const LATE_DAYS = 14
const FULL_PERCENT = 80
/** A backlog shorter than this tells nothing of how fast the journal fills. */
const MEASURED_MS = 60_000

/** Who enrols boxes, revokes certificates and pushes configurations. */
export const mayManage = (roles: readonly Role[]): boolean =>
  roles.includes('engineer') || roles.includes('administrator')

/** Whole days until a certificate is over; negative once it is, null for a box that tells of none. */
export function certificateDays({ report }: Pick<Edge, 'report'>, now: number): number | null {
  const expiresAt = report?.certificate?.expiresAt
  return expiresAt === undefined ? null : Math.floor((expiresAt - now) / DAY_MS)
}

export interface JournalRoom {
  readonly percent: number
  readonly freeBytes: number
  /** How long the rest lasts at the speed at which it fills; null while it does not fill. */
  readonly lastsMs: number | null
}

/** How full the journal of a box is; null for one that does not tell. */
export function journalRoom({ report }: Pick<Edge, 'report'>): JournalRoom | null {
  if (!report || report.journal.maxBytes === 0) return null
  const { sizeBytes, maxBytes, depth, oldestAt } = report.journal
  const freeBytes = Math.max(0, maxBytes - sizeBytes)
  const spanMs = depth > 0 && oldestAt !== null ? report.at - oldestAt : 0
  const isMeasured = spanMs >= MEASURED_MS && sizeBytes > 0
  return {
    percent: (100 * sizeBytes) / maxBytes,
    freeBytes,
    lastsMs: isMeasured ? (freeBytes * spanMs) / sizeBytes : null,
  }
}

const concern = (code: string, params: EdgeFault['params'] = {}): EdgeFault => ({ code, params, detail: code })

/** What is wrong with a box: what the cloud found, then what the box tells of itself. */
export function concernsOf(edge: Edge, now: number): readonly EdgeFault[] {
  return [
    ...[...edge.faults, ...deviceConcerns(edge), ...configurationConcerns(edge)],
    ...[...certificateConcerns(edge, now), ...journalConcerns(edge)],
  ]
}

/** Devices that never announced themselves to the cloud: only the box knows that they do not answer. */
function deviceConcerns({ faults, report, status }: Edge): EdgeFault[] {
  if (!report || status !== 'online') return []
  const told = new Set(faults.filter(({ code }) => code === 'device.offline').map(({ params }) => params.device))
  return report.devices
    .filter(({ state, device }) => state === 'lost' && !told.has(device))
    .map(({ device, error, lossKind }) => ({
      ...{ code: 'device.lost', params: { device, error: error ?? '–', ...(lossKind ? { lossKind } : {}) } },
      detail: `${device}: ${error ?? '–'}`,
    }))
}

function configurationConcerns({ configuration: { state, rolledBack } }: Edge): EdgeFault[] {
  if (state === 'drift') return [concern('edge.configuration-drift')]
  if (state !== 'rolled-back' || rolledBack === null) return []
  const { version, reason, code, params } = rolledBack
  const worded = code === undefined ? {} : { ...params, reasonCode: code }
  return [concern('edge.configuration-rolled-back', { ...worded, version, reason })]
}

function certificateConcerns(edge: Edge, now: number): EdgeFault[] {
  const days = certificateDays(edge, now)
  if (days === null) return []
  const renewal = edge.report?.certificate?.renewal
  if (renewal === 'waits-for-confirmation') return [concern('edge.renewal-waits')]
  if (days < 0) return [concern('edge.certificate-over')]
  if (renewal === 'failed') return [concern('edge.renewal-failed')]
  return days < LATE_DAYS ? [concern('edge.certificate-ends', { days })] : []
}

function journalConcerns(edge: Edge): EdgeFault[] {
  const percent = journalRoom(edge)?.percent ?? 0
  return percent < FULL_PERCENT ? [] : [concern('edge.journal-full', { percent: Math.round(percent) })]
}

/** How soon somebody should look: cut off, then faulty, then never seen, then well. */
function rank(edge: Edge, now: number): number {
  if (edge.status === 'offline' || edge.status === 'stale') return 0
  if (edge.status === 'never') return 2
  return concernsOf(edge, now).length > 0 ? 1 : 3
}

/** The order of the fleet: unhealthy boxes first, else by name. */
export const byHealth = (now: number) => (a: Edge, b: Edge) =>
  rank(a, now) - rank(b, now) || `${a.group}/${a.edge}`.localeCompare(`${b.group}/${b.edge}`)

export const SHOWS = ['all', 'attention', 'never'] as const
export type Show = (typeof SHOWS)[number]

/** True when a box is among those that are shown. */
export function isShown(edge: Edge, show: Show, now: number): boolean {
  if (show === 'all') return true
  return show === 'never' ? edge.status === 'never' : rank(edge, now) < 2
}

/** True when a search fits the name of a box, for people or on the wire. */
export const fits = ({ group, edge, name }: Edge, q: string): boolean =>
  `${group}/${edge} ${name}`.toLowerCase().includes(q.trim().toLowerCase())
