import { basename } from 'node:path'
import { type EdgeRegistrationInput, isUnanswered, type Pipeline } from '#cloud/pipeline/index.ts'
import type { Log } from '#shared/log/log.ts'

export interface RegisteringOptions {
  readonly pipeline: Pick<Pipeline, 'registerEdge'>
  readonly edges: readonly EdgeRegistrationInput[]
  /** The organisation file that names them. */
  readonly file: string
  readonly log: Log
  /** Time between two attempts; 1 s unless told. */
  readonly againMs?: number
}

/** The registration of a file's edges, which waits for the machine side while nobody answers. */
export interface Registering {
  /** What keeps edges from being registered, in words; empty once all are. */
  faults(): readonly string[]
  stop(): void
}

/**
 * Registers edges. Returns when all are, or as soon as the machine side does not answer; then it tries again by itself.
 * @throws DomainError when the machine side refuses one, such as one of a group that another organisation has.
 */
export async function registerEdges(options: RegisteringOptions): Promise<Registering> {
  const { edges, log, againMs = 1000 } = options
  const file = basename(options.file)
  const left = [...edges]
  let fault: string | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const go = async () => {
    if (await areRegistered(options.pipeline, left)) {
      fault = undefined
      return
    }
    fault = `The edges of ${file} are not registered yet; they are as soon as the machine side answers`
    if (!isStopped) timer = setTimeout(() => void again(), againMs).unref()
  }
  const again = async () => {
    try {
      await go()
      if (!fault) log.info({ edges: edges.length }, 'Registered the edges of the organisation file')
    } catch (error) {
      fault = `An edge of ${file} was refused: ${(error as Error).message}`
      log.error({ err: error }, 'An edge of the organisation file was refused')
    }
  }
  await go()
  if (fault) log.warn('The edges of the organisation file are registered when the machine side answers')
  return {
    faults: () => (fault ? [fault] : []),
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/** Takes out of the list what is registered; false when nobody answers. */
async function areRegistered(
  pipeline: RegisteringOptions['pipeline'],
  left: EdgeRegistrationInput[],
): Promise<boolean> {
  try {
    for (let edge = left[0]; edge; edge = left[0]) {
      await pipeline.registerEdge(edge)
      left.shift()
    }
    return true
  } catch (error) {
    if (!isUnanswered(error)) throw error
    return false
  }
}
