import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Log } from '#shared/log/log.ts'
import { AREAS } from './address.ts'
import type { Learned } from './holes.ts'

/** Changes are gathered for so long before they are written, in ms: a first scan may learn hundreds of holes. */
const GATHER_MS = 2000

const LearnedFile = Type.Object({
  version: Type.Literal(1),
  /** What the holes were learned of; of another profile or another version of it they say nothing. */
  identity: Type.String(),
  holes: Type.Array(
    Type.Object({
      span: Type.Object({ area: Type.Enum(AREAS), start: Type.Integer(), width: Type.Integer() }),
      reason: Type.String(),
      waitMs: Type.Number(),
      probeAt: Type.Number(),
    }),
  ),
  cuts: Type.Array(Type.String()),
  firmware: Type.Optional(Type.String()),
})
type LearnedFile = Static<typeof LearnedFile>

/** What was learned of one device, on disk, so that a restart does not cost a scan to learn it again. */
export interface LearnedStore {
  /** Undefined when nothing is kept, or it was learned of something else. */
  load(): Learned | undefined
  save(learned: Learned): void
  /** Writes what waits to be written. */
  flush(): void
}

/** A store in one file. A file that cannot be read or written costs a line in the log and nothing else. */
export function learnedStore(path: string, identity: string, log: Log): LearnedStore {
  let waiting: Learned | undefined
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (waiting === undefined) return
    const { holes, cuts, firmware } = waiting
    waiting = undefined
    try {
      write(path, {
        version: 1,
        identity,
        holes: [...holes],
        cuts: [...cuts],
        ...(firmware === undefined ? {} : { firmware }),
      })
    } catch (error) {
      log.warn({ err: error, path }, 'What was learned of a device cannot be kept')
    }
  }
  return {
    load: () => read(path, identity),
    save(learned) {
      waiting = learned
      timer ??= setTimeout(flush, GATHER_MS).unref()
    },
    flush,
  }
}

function read(path: string, identity: string): Learned | undefined {
  try {
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Value.Check(LearnedFile, file) && file.identity === identity ? file : undefined
  } catch {
    return undefined
  }
}

function write(path: string, file: LearnedFile): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(file))
  renameSync(`${path}.new`, path)
}
