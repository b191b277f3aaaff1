import type { Trouble } from '#shared/reach/probe.ts'
import { troubleFault } from '#shared/reach/words.ts'
import type { FaultSnapshot } from './snapshot.ts'

/** An address of edge.yaml that does not answer, with its place in the file. */
export function faultOf(trouble: Trouble): FaultSnapshot {
  const { file, line, path, found = '', fix } = troubleFault(trouble)
  return { at: `${file}:${line}`, path, kind: trouble.kind, found, fix }
}
