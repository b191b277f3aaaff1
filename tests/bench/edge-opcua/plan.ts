export const NAMESPACE = 'urn:andon:bench'

/** What the simulator is told; it answers with `{ url }`. */
export interface ToSimulator {
  readonly dir: string
  readonly tags: number
  readonly periodMs: number
}
