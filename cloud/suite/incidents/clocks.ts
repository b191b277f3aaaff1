import { CLOCKS } from '#shared/contracts/incident.ts'
import type { Severity } from '#shared/contracts/priority.ts'

export type ClockName = (typeof CLOCKS)[number]
/** When each clock stopped, and by whom; a clock that is absent still runs. */
export type ClockStops = Readonly<Partial<Record<ClockName, { readonly at: Date; readonly by?: string | null }>>>

/** Targets in seconds from the incident's start, by severity: what the plant asks of itself until a policy says otherwise. */
export const TARGET_SECONDS: Readonly<Record<Severity, Readonly<Record<ClockName, number>>>> = {
  S1: { detect: 10, notify: 30, acknowledge: 120, accept: 300, arrive: 900, contain: 1800, restore: 3600 },
  S2: { detect: 10, notify: 30, acknowledge: 300, accept: 600, arrive: 1800, contain: 3600, restore: 7200 },
  S3: { detect: 30, notify: 60, acknowledge: 900, accept: 1800, arrive: 3600, contain: 14_400, restore: 28_800 },
  S4: { detect: 60, notify: 300, acknowledge: 3600, accept: 14_400, arrive: 28_800, contain: 86_400, restore: 86_400 },
}

export interface ClockReading {
  readonly clock: ClockName
  readonly at: Date | null
  readonly seconds: number | null
  readonly targetSeconds: number
  readonly status: 'pending' | 'running' | 'met' | 'missed'
  readonly by: string | null
}

export interface ClockQuestion {
  readonly severity: Severity
  /** First activation, event time: the zero of every clock. */
  readonly startedAt: Date
  readonly stops: ClockStops
  readonly now: Date
  /** An ended incident has no running clock. */
  readonly isEnded: boolean
}

/** Reads the seven clocks in their order. The first that has not stopped runs; later ones are pending, missed once late. */
export function readClocks(question: ClockQuestion): ClockReading[] {
  const next = CLOCKS.find((clock) => !question.stops[clock])
  return CLOCKS.map((clock) => readClock(clock, clock === next, question))
}

function readClock(clock: ClockName, isNext: boolean, question: ClockQuestion): ClockReading {
  const { severity, startedAt, stops, now, isEnded } = question
  const targetSeconds = TARGET_SECONDS[severity][clock]
  const stop = stops[clock]
  const elapsed = secondsBetween(startedAt, stop?.at ?? now)
  const isLate = elapsed > targetSeconds
  const base = { clock, at: stop?.at ?? null, targetSeconds, by: stop?.by ?? null }
  if (stop) return { ...base, seconds: elapsed, status: isLate ? 'missed' : 'met' }
  if (isEnded) return { ...base, seconds: null, status: 'pending' }
  if (isLate) return { ...base, seconds: null, status: 'missed' }
  return { ...base, seconds: null, status: isNext ? 'running' : 'pending' }
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000)
}
