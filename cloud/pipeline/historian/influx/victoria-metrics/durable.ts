import type { Connection } from '../connection.ts'
import { EngineRefusal } from '../engine.ts'

/** Writes so that what it confirms outlives a crash of the server. */
export interface DurableWriter {
  write(pieces: Iterable<string>): Promise<void>
  /** Writes again what a crash may have taken. */
  settle(): Promise<void>
  /** Makes the server write to disk. @throws EngineRefusal when it cannot be made to. */
  flush(): Promise<void>
}

const PATH = '/api/v2/write?precision=ms'

/**
 * VictoriaMetrics confirms what it holds in memory only and writes it to disk seconds later: without more, a `kill -9` takes
 * everything of the last seconds. Taking a snapshot makes it write values and index to disk. But 1.79 leaves out parts that
 * a merge has in hand (flushInmemoryParts skips them; newer versions wait), so what was sent stays here, compressed, until
 * those are surely on disk, and is sent again when the server has been started anew.
 */
export function durableWriter(connection: Connection, now: () => number, startedAt: string): DurableWriter {
  const held = hold(now)
  let knownStart = startedAt
  const secure = async () => {
    for (;;) {
      await flush(connection)
      const start = startOf((await connection.look('/metrics')).text)
      if (start === knownStart) return
      await connection.write(PATH, held.all())
      knownStart = start
    }
  }
  return {
    flush: () => flush(connection),
    async write(pieces) {
      const sent: Buffer[] = []
      await connection.write(PATH, pieces, (packed) => void sent.push(packed))
      if (sent.length === 0) return
      held.add(sent)
      await secure()
    },
    async settle() {
      if (held.all().length > 0) await secure()
    },
  }
}

/** When the server started, as its page of metrics tells it. @throws Error when it does not. */
export function startOf(metrics: string): string {
  const [, start] = /^vm_app_start_timestamp (\S+)/m.exec(metrics) ?? []
  if (start === undefined) throw new Error('VictoriaMetrics does not tell on /metrics when it started')
  return start
}

/** Three times the interval at which the server writes to disk by itself, so that merges of seconds are over too. */
const HELD_MS = 15_000
/** About 6 million values. */
const HELD_BYTES = 64 * 2 ** 20

/** Keeps what was sent lately; of more than it may hold, the newest. */
function hold(now: () => number) {
  let batches: { readonly at: number; readonly bodies: readonly Buffer[]; readonly bytes: number }[] = []
  return {
    add(bodies: readonly Buffer[]): void {
      const bytes = bodies.reduce((sum, body) => sum + body.length, 0)
      batches.push({ at: now(), bodies, bytes })
      let room = HELD_BYTES
      const since = now() - HELD_MS
      batches = batches
        .reverse()
        .filter((batch, i) => {
          room -= batch.bytes
          return i === 0 || (batch.at >= since && room >= 0)
        })
        .reverse()
    },
    all: (): Buffer[] => batches.flatMap((batch) => batch.bodies),
  }
}

async function flush(connection: Connection): Promise<void> {
  const made = await snapshotCall(connection, '/snapshot/create')
  if (!made.snapshot) throw notFlushed(connection, made)
  await snapshotCall(connection, `/snapshot/delete?snapshot=${encodeURIComponent(made.snapshot)}`)
}

interface SnapshotAnswer {
  readonly status?: string
  readonly snapshot?: string
  readonly msg?: string
}

async function snapshotCall(connection: Connection, path: string): Promise<SnapshotAnswer> {
  const answer = JSON.parse((await connection.ask(path)).toString()) as SnapshotAnswer
  if (answer.status !== 'ok') throw notFlushed(connection, answer)
  return answer
}

const notFlushed = ({ address }: Connection, { msg }: SnapshotAnswer) =>
  new EngineRefusal(
    `VictoriaMetrics at ${address} does not take a snapshot (${msg ?? 'no reason given'}), the only way to know that values outlive its crash; let this address call /snapshot/create and /snapshot/delete`,
  )
