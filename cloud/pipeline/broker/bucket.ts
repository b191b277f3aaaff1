/** A token bucket that may be overdrawn: whoever takes more than there is waits until the debt is paid. Times in ms. */
export class Bucket {
  readonly #perMs: number
  readonly #most: number
  #tokens: number
  #at: number

  /** Fills at `perSecond` up to `most`, and begins full. */
  constructor(perSecond: number, most: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#most = most
    this.#tokens = most
    this.#at = now
  }

  /** Takes tokens and answers how long to wait until the bucket owes nothing; 0 when it does not. */
  take(count: number, now: number): number {
    this.#tokens = Math.min(this.#most, this.#tokens + Math.max(0, now - this.#at) * this.#perMs) - count
    this.#at = now
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs
  }

  /** True when nothing was taken for so long that the bucket is as good as new. */
  isFull(now: number): boolean {
    return this.#tokens + (now - this.#at) * this.#perMs >= this.#most
  }
}
