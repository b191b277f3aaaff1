import { closeSync, openSync, writeSync } from 'node:fs'
import type { Scalar } from '#shared/contracts/sample.ts'

/** One line of the ledger. Times in ms since 1970; 64-bit integers as decimal text. */
export type LedgerLine =
  | {
      readonly kind: 'served'
      readonly device: string
      readonly tag: string
      readonly value: Scalar
      readonly at: number
    }
  | {
      readonly kind: 'answered'
      readonly device: string
      readonly tag: string
      readonly value: Scalar
      readonly at: number
      readonly answeredAt: number
    }

/** What the simulators have served, one JSON object a line, so that others can prove that nothing was lost. */
export interface Ledger {
  /** Adds a line; it reaches the file with the next flush. */
  add(line: LedgerLine): void
  /** Hands all lines to the operating system: they outlive a killed process. */
  flush(): void
  close(): void
}

/** Opens a ledger that appends to a file. Throws when the file cannot be opened. */
export function openLedger(path: string): Ledger {
  const file = openSync(path, 'a')
  let lines: string[] = []
  const flush = () => {
    if (lines.length === 0) return
    writeSync(file, lines.join(''))
    lines = []
  }
  return {
    add(line) {
      lines.push(`${JSON.stringify(line, (_, v) => (typeof v === 'bigint' ? v.toString() : v))}\n`)
    },
    flush,
    close() {
      flush()
      closeSync(file)
    },
  }
}
