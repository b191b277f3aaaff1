import type { Span } from './address.ts'
import { placeOf, spanKey } from './plan.ts'

const FIRST_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 3_600_000

interface Hole {
  readonly span: Span
  readonly reason: string
  readonly waitMs: number
  readonly probeAt: number
}

/** What a device has been found to refuse. Spans that it refuses are left alone and probed after 1 min, growing to 1 h. */
export interface Holes {
  /** Rises with every change of what a plan has to respect. */
  readonly version: number
  spans(): Span[]
  readonly cuts: ReadonlySet<string>
  /** Why the device refuses this span; undefined when it does not. */
  reasonOf(span: Span): string | undefined
  /** Refused spans of these that are to be asked for again now. */
  due(spans: readonly Span[], now: number): Span[]
  /** The device refused this span read alone. */
  refuse(span: Span, reason: string, now: number): void
  /** The device gave this span again. */
  clear(span: Span): void
  /** The device gave both halves but not the whole: no block may reach across this place. */
  cutBefore(span: Span): void
}

/** An empty memory. It lives as long as the driver, over reconnects. */
export function createHoles(): Holes {
  const holes = new Map<string, Hole>()
  const cuts = new Set<string>()
  let version = 0
  return {
    get version() {
      return version
    },
    cuts,
    spans: () => [...holes.values()].map((hole) => hole.span),
    reasonOf: (span) => holes.get(spanKey(span))?.reason,
    due: (spans, now) => spans.filter((span) => (holes.get(spanKey(span))?.probeAt ?? Infinity) <= now),
    refuse(span, reason, now) {
      const known = holes.get(spanKey(span))
      const waitMs = known ? Math.min(known.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS
      holes.set(spanKey(span), { span, reason, waitMs, probeAt: now + waitMs })
      if (!known) version++
    },
    clear(span) {
      if (holes.delete(spanKey(span))) version++
    },
    cutBefore({ area, start }) {
      cuts.add(placeOf(area, start))
      version++
    },
  }
}
