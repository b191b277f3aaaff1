import { type Span, touches } from './address.ts'
import { placeOf, spanKey } from './plan.ts'

const FIRST_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 3_600_000
/** Probes of one turn: learned faults must not cost a scan its time. */
const PROBES_A_TURN = 2

/** A span that the device refuses. Times in ms since 1970. */
export interface Hole {
  readonly span: Span
  readonly reason: string
  readonly waitMs: number
  readonly probeAt: number
}

/** Everything that was learned of a device, as it is kept on disk. */
export interface Learned {
  readonly holes: readonly Hole[]
  /** Places (`area:address`) over which no block may reach. */
  readonly cuts: readonly string[]
  /** Of which firmware it was learned, when the device tells. */
  readonly firmware?: string | undefined
}

/** What a device has been found to refuse. Spans that it refuses are left alone and probed after 1 min, growing to 1 h. */
export interface Holes {
  /** Rises with every change of what a plan has to respect. */
  readonly version: number
  spans(): Span[]
  list(): readonly Hole[]
  readonly cuts: ReadonlySet<string>
  /** Why the device refuses this span or a part of it; undefined when it does not. */
  reasonOf(span: Span): string | undefined
  /** Refused spans of these that are to be asked for again now, a few at a time, longest due first. */
  due<S extends Span>(spans: readonly S[], now: number): S[]
  /** The device refused this span read alone. */
  refuse(span: Span, reason: string, now: number): void
  /** The device gave this span again. */
  clear(span: Span): void
  /** The device gave both halves but not the whole: no block may reach across this place. */
  cutBefore(span: Span): void
  /** The device tells its firmware. What was learned of another one is forgotten. */
  runsOn(firmware: string): void
}

export interface HoleOptions {
  readonly learned?: Learned | undefined
  /** Told of every change. */
  readonly onChange?: (learned: Learned) => void
}

/** A memory that begins with what was learned before. It lives as long as the driver, over reconnects. */
export function createHoles({ learned, onChange = () => undefined }: HoleOptions = {}): Holes {
  const holes = new Map(learned?.holes.map((hole) => [spanKey(hole.span), hole]))
  const cuts = new Set(learned?.cuts)
  let firmware = learned?.firmware
  let version = 0
  const change = (isPlanTouched: boolean) => {
    if (isPlanTouched) version++
    onChange({ holes: [...holes.values()], cuts: [...cuts], firmware })
  }
  const probeAt = (span: Span) => holes.get(spanKey(span))?.probeAt ?? Infinity
  const isDue = (span: Span, now: number) => {
    const hole = holes.get(spanKey(span))
    // The clock may have been set back: nothing is left alone for longer than its wait.
    return hole !== undefined && (hole.probeAt <= now || hole.probeAt > now + hole.waitMs)
  }
  return {
    get version() {
      return version
    },
    cuts,
    list: () => [...holes.values()],
    spans: () => [...holes.values()].map((hole) => hole.span),
    reasonOf: (span) => (holes.get(spanKey(span)) ?? holes.values().find((hole) => touches(hole.span, span)))?.reason,
    due(spans, now) {
      if (holes.size === 0) return []
      const due = spans.filter((span) => isDue(span, now))
      return due.sort((a, b) => probeAt(a) - probeAt(b)).slice(0, PROBES_A_TURN)
    },
    refuse({ area, start, width }, reason, now) {
      const span = { area, start, width }
      const known = holes.get(spanKey(span))
      const waitMs = known ? Math.min(known.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS
      holes.set(spanKey(span), { span, reason, waitMs, probeAt: now + waitMs })
      change(known === undefined)
    },
    clear(span) {
      if (holes.delete(spanKey(span))) change(true)
    },
    cutBefore({ area, start }) {
      cuts.add(placeOf(area, start))
      change(true)
    },
    runsOn(told) {
      if (told === firmware) return
      const isOther = firmware !== undefined
      firmware = told
      if (isOther) holes.clear()
      if (isOther) cuts.clear()
      change(isOther)
    },
  }
}
