import type { AnyDriver, TracedFrame } from '#edge/drivers/driver.ts'

/** A trace ends by itself after this time. */
const LASTS_MS = 600_000
/** The newest frames are kept: some minutes of a device that is read every second. */
const KEPT = 2000
/** Longer frames than any of Modbus are cut. */
const MOST_BYTES = 260

/** What a trace has seen. */
export interface Trace {
  readonly device: string
  readonly frames: readonly TracedFrame[]
  /** Frames that were seen and are not kept any more. */
  readonly forgotten: number
  /** When it ends by itself, ms since 1970; undefined when it has ended. */
  readonly until: number | undefined
}

/** The one trace of this page: beginning another ends it. */
export interface Traces {
  /** False for a device whose protocol has no frames to show. */
  start(device: string): boolean
  stop(): void
  /** The latest trace of a device. */
  of(device: string): Trace | undefined
}

interface Running {
  readonly device: string
  readonly frames: TracedFrame[]
  forgotten: number
  until: number | undefined
  end: () => void
}

/** Frames stay in memory alone. */
export function createTraces(drivers: ReadonlyMap<string, AnyDriver>, now: () => number): Traces {
  let trace: Running | undefined
  const stop = () => trace?.end()
  return {
    stop,
    start(device) {
      const tap = drivers.get(device)?.trace
      if (!tap) return false
      stop()
      trace = begin(device, tap, now)
      return true
    },
    of: (device) => (trace?.device === device ? { ...trace, frames: [...trace.frames] } : undefined),
  }
}

function begin(device: string, tap: NonNullable<AnyDriver['trace']>, now: () => number): Running {
  const running: Running = { device, frames: [], forgotten: 0, until: now() + LASTS_MS, end: () => undefined }
  const untap = tap((frame) => {
    running.frames.push({ ...frame, bytes: frame.bytes.slice(0, MOST_BYTES) })
    if (running.frames.length > KEPT) {
      running.frames.shift()
      running.forgotten++
    }
  })
  const timer = setTimeout(() => running.end(), LASTS_MS)
  timer.unref()
  running.end = () => {
    clearTimeout(timer)
    untap()
    running.until = undefined
  }
  return running
}

/** A trace as a text file: one frame a line. */
export function traceText({ device, frames, forgotten }: Trace): string {
  const signs = { sent: '>', received: '<', failed: '!' } as const
  const lines = frames.map(({ at, direction, bytes, meaning }) =>
    [new Date(at).toISOString(), signs[direction], hexOf(bytes), meaning.en].join('  '),
  )
  return `# ${device}: unit and PDU of each frame; ${forgotten} earlier ones are not kept\n${lines.join('\n')}\n`
}

/** Bytes in hex, two digits each. */
export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')
