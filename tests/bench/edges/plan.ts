export const GROUP = 'idle'

/** What the generator is told. */
export interface Plan {
  readonly port: number
  readonly edges: number
  readonly isTls: boolean
}

/** How many edges stand, told when all have tried. */
export interface Connected {
  readonly connected: number
  readonly failed: number
}
