/** The storm: edges that say nothing but their births, beside a few that stream. */
export const GROUP = 'storm'
export const STORM_EDGES = 1000
export const LIVE_EDGES = 10
/** Tags of each edge's one device. */
export const TAGS = 20
export const LIVE_EVERY_MS = 50

/** What a generator is told. */
export interface Task {
  readonly role: 'storm' | 'live'
  readonly port: number
  readonly edges: number
}
