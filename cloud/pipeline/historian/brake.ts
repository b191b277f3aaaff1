export interface BrakeOptions {
  /** Told when edges are to wait, and when they may go on. */
  readonly onHold: (isHeld: boolean) => void
  /** They wait no longer than this for one commit. */
  readonly longestMs: number
}

/** Has edges wait while history is slower than they are. */
export interface Brake {
  /** So much waits that nothing more should come before a commit has ended. */
  hold(): void
  /** A commit has ended well, or less waits than before: edges go on, and may be held again. */
  release(): void
  /** History takes nothing: edges go on, because alarms and screens must not stand still with it. */
  giveUp(): void
}

/** Makes a brake that is open. */
export function createBrake({ onHold, longestMs }: BrakeOptions): Brake {
  let timer: NodeJS.Timeout | undefined
  let isWornOut = false
  const open = () => {
    if (!timer) return
    clearTimeout(timer)
    timer = undefined
    onHold(false)
  }
  const giveUp = () => {
    isWornOut = true
    open()
  }
  return {
    hold() {
      if (timer || isWornOut) return
      timer = setTimeout(giveUp, longestMs)
      onHold(true)
    },
    release() {
      isWornOut = false
      open()
    },
    giveUp,
  }
}
