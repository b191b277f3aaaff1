import type { Accepted } from '#shared/contracts/edge-configuration.ts'

/** Where a value stands in a document: keys and list positions from the top. */
export type Path = readonly (string | number)[]

/** What a screen needs to word a fault in the language of its reader. */
export interface FaultCode {
  /** Stable; undefined for what is told in English alone. */
  readonly code?: string
  readonly params?: Readonly<Record<string, string | number>>
  readonly accepts?: readonly Accepted[]
}

/** One thing that is wrong in a configuration, told so that a person can mend it. Lines and columns count from 1. */
export interface Fault extends FaultCode {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** As people write it: `devices[0].modbus.port`; empty for the whole document. */
  readonly path: string
  /** What stands there, as short text; absent when nothing does. Secrets are never shown. */
  readonly found?: string
  readonly expected: string
  /** The known name that was probably meant. */
  readonly nearest?: string
  readonly fix: string
}

/** A configuration cannot be used: the program refuses to start and lists every fault at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(renderFaults(faults))
    this.faults = faults
  }
}

/** Writes a path as people do: `devices[0].modbus.port`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** The faults as plain text for a terminal: two lines each, place and fault first, then what to do. */
export function renderFaults(faults: readonly Fault[]): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  const files = [...new Set(faults.map((f) => f.file))].join(', ')
  return [`${files}: ${count}`, ...faults.map(renderFault)].join('\n')
}

function renderFault({ file, line, column, path, found, expected, fix }: Fault): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  const what = found === undefined ? `expected ${expected}` : `found ${found}, expected ${expected}`
  return `  ${place}  ${path === '' ? '(the whole file)' : path}: ${what}\n    → ${fix}`
}
