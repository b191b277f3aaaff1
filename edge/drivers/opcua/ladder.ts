/** What is tried one after the other when a subscription falls silent, from the gentlest on; a new channel and a new process are the agent's. */
export const RUNGS = ['republish', 'modify', 'recreate', 'new-session'] as const
export type Rung = (typeof RUNGS)[number]

export interface LadderOptions {
  readonly steps: Readonly<Record<Rung, () => Promise<void>>>
  /** Resolves with true as soon as every subscription has given a sign of life since the call, with false when the time is over. */
  readonly awaitSign: (withinMs: number) => Promise<boolean>
  /** How long one step, and the wait for a sign after it, may take. */
  readonly limitMs: number
}

/** A step took too long: the server does not answer on this channel at all. */
export class StepTimeoutError extends Error {
  override readonly name = 'StepTimeoutError'
}

/**
 * Climbs from a rung until the server gives a sign of life; resolves with the rung that helped. Undefined when none did, or
 * as soon as a step gets no answer at all: then only a new channel can help.
 */
export async function climb(from: Rung, { steps, awaitSign, limitMs }: LadderOptions): Promise<Rung | undefined> {
  for (const rung of RUNGS.slice(RUNGS.indexOf(from))) {
    const sign = awaitSign(limitMs)
    try {
      await within(steps[rung](), limitMs)
    } catch (error) {
      if (isUnanswered(error as Error)) return undefined
      continue
    }
    if (await sign) return rung
  }
  return undefined
}

/** The library tells an unanswered request by its message alone. */
const isUnanswered = (error: Error) =>
  error instanceof StepTimeoutError || /timed out|not connected/i.test(error.message)

async function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new StepTimeoutError(`No answer within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
