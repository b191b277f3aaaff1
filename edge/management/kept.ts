import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningConfiguration } from '../uplink/index.ts'
import { replaceFile } from './files.ts'
import type { WhyBack } from './trial.ts'

/** A version of the cloud's that was applied here. */
export interface AppliedVersion {
  readonly version: number
  readonly hash: string
  readonly signature: string
}

/** A version that has to prove itself. */
export interface Trial {
  readonly next: AppliedVersion
  /** Hash of what it replaced, which is kept to go back to. */
  readonly before: string
  /** The version of that; null when it was none of the cloud's. */
  readonly applied: AppliedVersion | null
  /** Devices that answered before, and must again. */
  readonly alive: readonly string[]
  /** Starts of the program since; one that never comes up must not be tried for ever. */
  readonly starts: number
}

/** A version that did not prove itself. */
export interface RolledBack {
  readonly version: number
  /** ms since 1970 */
  readonly at: number
  readonly reason: string
  readonly code?: string
  readonly params?: WhyBack['params']
}

/** What a box remembers of its configuration besides edge.yaml. */
export interface ConfigurationState {
  readonly applied: AppliedVersion | null
  readonly trial: Trial | null
  readonly rolledBack: RolledBack | null
}

const NOTHING: ConfigurationState = { applied: null, trial: null, rolledBack: null }

/** SHA-256 of a document, hexadecimal. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** edge.yaml with what lies beside it: the state, and while a trial lasts the document before. */
export interface KeptConfiguration {
  readonly state: ConfigurationState
  document(): string
  /** Puts a document in the place of edge.yaml, on trial. After a crash either the old one runs or the new one. */
  apply(document: string, trial: Omit<Trial, 'starts' | 'applied'>): void
  noteStart(): void
  /** The trial is over, well. */
  confirm(): void
  /** The document before is edge.yaml again. */
  rollBack(at: number, why: WhyBack): void
  /** The version that a document is, as births tell it. */
  running(hash: string): RunningConfiguration
}

/** Opens it. A trial whose document is not edge.yaml never began, or somebody has changed the file since: it is dropped. */
export function openConfiguration(file: string, data: string): KeptConfiguration {
  const [stateFile, beforeFile] = [
    join(data, 'configuration', 'state.json'),
    join(data, 'configuration', 'before.yaml'),
  ]
  let state = existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as ConfigurationState) : NOTHING
  const keep = (next: ConfigurationState) => {
    state = next
    replaceFile(stateFile, `${JSON.stringify(next, undefined, 2)}\n`)
  }
  const document = () => readFileSync(file, 'utf8')
  const { trial } = state
  if (trial && (!existsSync(file) || hashOf(document()) !== trial.next.hash)) keep({ ...state, trial: null })
  return {
    get state() {
      return state
    },
    document,
    apply(text, begun) {
      replaceFile(beforeFile, document())
      keep({ ...state, trial: { ...begun, applied: state.applied, starts: 0 } })
      replaceFile(file, text, 0o644)
    },
    noteStart() {
      if (state.trial) keep({ ...state, trial: { ...state.trial, starts: state.trial.starts + 1 } })
    },
    confirm() {
      if (!state.trial) return
      keep({ applied: state.trial.next, trial: null, rolledBack: null })
      rmSync(beforeFile, { force: true })
    },
    rollBack(at, { reason, code, params }) {
      if (!state.trial) return
      const { next, applied } = state.trial
      replaceFile(file, readFileSync(beforeFile, 'utf8'), 0o644)
      const why = { reason: reason.slice(0, 500), code, ...(params ? { params } : {}) }
      keep({ applied, trial: null, rolledBack: { version: next.version, at, ...why } })
    },
    running(hash) {
      const known = [state.trial?.next, state.applied].find((one) => one?.hash === hash)
      return { hash, version: known?.version, signature: known?.signature }
    },
  }
}
