export const GROUP = 'subscribed'
export const CLIENTS = 10_000
export const EDGES = 10
/** Tags of each edge's one device, and how many of them a client looks at. */
export const TAGS = 100
export const WATCHED = 10
/** Each edge sends all of its tags this often. */
export const EVERY_MS = 1000
export const DEVICE = 'd00'

export const edgeOf = (index: number): string => `e${String(index).padStart(3, '0')}`
export const tagOf = (index: number): string => `v${String(index).padStart(2, '0')}`

/** What a client looks at: ten neighbouring tags of one device, as a screen shows them. */
export function watchedBy(client: number): string[] {
  const first = (Math.floor(client / EDGES) * WATCHED) % TAGS
  return Array.from({ length: WATCHED }, (_, i) => `${GROUP}/${edgeOf(client % EDGES)}/${DEVICE}/${tagOf(first + i)}`)
}

/** To the clients' process. */
export type Order =
  | { readonly kind: 'open'; readonly url: string; readonly cookie: string }
  | { readonly kind: 'begin' | 'end' }

/** From the clients' process: when all are open, and what they saw between `begin` and `end`. */
export type Report =
  | { readonly kind: 'opened'; readonly failed: number }
  | {
      readonly kind: 'seen'
      readonly values: number
      readonly messages: number
      readonly lost: number
      readonly valueP50Ms: number
      readonly valueP99Ms: number
      readonly alarms: number
      readonly alarmP50Ms: number
      readonly alarmP99Ms: number
      readonly cpuMicros: number
    }
