/** What becomes of a message that has come. */
export type Admission = 'take' | 'held' | 'dropped'

/** Sequence numbers are one byte: up to half of them ahead is early, the rest is behind. */
const RANGE = 256
const AHEAD = RANGE / 2
/** After so many windows that closed in vain, each soon after the one before, the numbers of this sender mean nothing. */
const USELESS_AFTER = 5
const FORGOTTEN_AFTER_MS = 60_000

interface Early<M> {
  readonly message: M
  readonly at: number
}

/**
 * Puts the messages of one session back into the order of their sequence numbers. In order it costs two comparisons; what
 * comes early is held until what is missing has come or the reorder window closes. Pure: times are arguments, in ms.
 */
export class MessageOrder<M> {
  /** Number of the last message taken; null when the next one cannot be checked. */
  #last: number | null = null
  #held: Map<number, Early<M>> | undefined
  /** Numbers given up in this session, which may still come late. */
  #missed: Set<number> | undefined
  /** When a message came that fits nowhere: the window runs although nothing is held. */
  #strayAt: number | undefined
  #closedInVain = 0
  #closedAt: number | undefined

  /** True once the window closed in vain so often that messages are taken as they come. */
  get isUseless(): boolean {
    return this.#closedInVain >= USELESS_AFTER
  }

  /** True while something is missing. */
  get isWaiting(): boolean {
    return this.#held !== undefined || this.#strayAt !== undefined
  }

  /** Number of the last message taken; null when none was. */
  get last(): number | null {
    return this.#last
  }

  /** Starts with the number of an NBIRTH. Answers what was held, in order: it belongs to the time before. */
  begin(seq: number): M[] {
    const held = this.#drain()
    this.#last = seq
    this.#missed = undefined
    return held
  }

  /** Believes the numbers of the sender again: it has connected anew. */
  trust(): void {
    this.#closedInVain = 0
  }

  /** True when `seq` is the next number, or any may be. */
  expects(seq: number): boolean {
    return this.#last === null || seq === (this.#last + 1) % RANGE
  }

  /** Forgets everything: the session has ended, or nobody counted for a while. */
  reset(): void {
    this.#last = null
    this.#held = undefined
    this.#missed = undefined
    this.#strayAt = undefined
  }

  /** Decides on a message with the number `seq` (0–255). */
  admit(seq: number, message: M, at: number): Admission {
    if (this.expects(seq) || this.isUseless) {
      this.#last = seq
      if (this.#held === undefined) this.#strayAt = undefined
      return 'take'
    }
    if (this.#missed?.delete(seq)) return 'take'
    const ahead = (seq - (this.#last ?? 0) + RANGE - 1) % RANGE
    if (ahead >= AHEAD) {
      this.#strayAt ??= at
      return 'dropped'
    }
    this.#held ??= new Map()
    if (this.#held.has(seq)) return 'dropped'
    this.#held.set(seq, { message, at })
    return 'held'
  }

  /** The held message that is next now, which counts as taken; undefined when there is none. */
  next(): M | undefined {
    if (this.#held === undefined || this.#last === null) return undefined
    const seq = (this.#last + 1) % RANGE
    const early = this.#held.get(seq)
    if (!early) return undefined
    this.#held.delete(seq)
    if (this.#held.size === 0) this.#held = undefined
    this.#strayAt = undefined
    this.#last = seq
    return early.message
  }

  /** True when something has been missing for longer than the window. */
  isOverdue(at: number, windowMs: number): boolean {
    if (!this.isWaiting) return false
    let since = this.#strayAt ?? at
    for (const early of this.#held?.values() ?? []) since = Math.min(since, early.at)
    return at - since >= windowMs
  }

  /** Closes the window: answers what was held, in order. What is still missing is taken if it comes late. */
  giveUp(at: number): M[] {
    const isAgain = this.#closedAt !== undefined && at - this.#closedAt < FORGOTTEN_AFTER_MS
    this.#closedInVain = isAgain ? this.#closedInVain + 1 : 1
    this.#closedAt = at
    const from = this.#last
    const held = this.#held
    const messages = this.#drain()
    if (from === null || this.#last === null || !held) return messages
    this.#missed ??= new Set()
    for (let seq = (from + 1) % RANGE; seq !== this.#last; seq = (seq + 1) % RANGE) {
      if (!held.has(seq)) this.#missed.add(seq)
    }
    return messages
  }

  /** Empties what is held, in order, as if it were taken. */
  #drain(): M[] {
    const held = [...(this.#held ?? [])]
    const last = this.#last ?? 0
    this.#held = undefined
    this.#strayAt = undefined
    const ahead = (seq: number) => (seq - last - 1 + RANGE) % RANGE
    held.sort(([a], [b]) => ahead(a) - ahead(b))
    this.#last = held.at(-1)?.[0] ?? this.#last
    return held.map(([, early]) => early.message)
  }
}
