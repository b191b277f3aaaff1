/** How long a block is left alone after an exception: at first, and at most while it doubles. In ms. */
interface Pause {
  readonly firstMs: number
  readonly mostMs: number
}

/** By exception code of MODBUS Application Protocol V1.1b3, chapter 7. Others are asked again in the next scan. */
const PAUSES: Readonly<Record<number, Pause>> = {
  /** The function is unknown: only another firmware changes that. */
  1: { firstMs: 60_000, mostMs: 3_600_000 },
  /** The device failed: left alone a while. */
  4: { firstMs: 1000, mostMs: 10_000 },
  /** It has accepted and needs more time. */
  5: { firstMs: 1000, mostMs: 10_000 },
  /** Busy, also after the short tries. */
  6: { firstMs: 500, mostMs: 5000 },
}

/** Waits before a block is asked for again within a turn, because the device said that it is busy. In ms. */
export const BUSY_TRIES_MS: readonly number[] = [50, 200]
export const BUSY = 6

/** The pause after an exception, in ms; `beforeMs` is the last one of the same block, 0 when it had none. */
export function nextPauseMs(code: number, beforeMs: number): number {
  const pause = PAUSES[code]
  if (!pause) return 0
  return beforeMs === 0 ? pause.firstMs : Math.min(pause.mostMs, Math.max(pause.firstMs, beforeMs * 2))
}
