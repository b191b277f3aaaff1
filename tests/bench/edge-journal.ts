import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomOf } from '../support/random.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { compare, Ledger } from './edge-journal/ledger.ts'
import { replay } from './edge-journal/replay.ts'

const RATE = 200_000
const KILLS = 20
/** Samples a second of a process that is to be killed: enough for a commit under way at any moment. */
const KILLED_RATE = 50_000
const LONGEST_LIFE_MS = 1500
/** Short, so that kills meet segments that end and such as are packed. */
const KILLED_SEGMENT_MINUTES = '0.004'

/** The journal of the edge: what it accepts and how small, what kill -9 leaves, and how a backlog follows live values. */
export const bench: Bench = {
  name: 'edge-journal',
  summary: 'samples into the journal, kills against a ledger, replay behind live values',
  seconds: 20,
  run: async (options) => {
    const root = mkdtempSync(join(options.data ?? tmpdir(), 'edge-journal-'))
    try {
      return await runIn(root, options)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
}

async function runIn(root: string, options: BenchOptions): Promise<BenchResult> {
  const { seconds, rate = RATE, say } = options
  const folder = (name: string) => {
    mkdirSync(join(root, name))
    return join(root, name)
  }
  const accepting = new Ledger()
  const segmentMinutes = String(Math.min(10, seconds / 240))
  const first = folder('accept')
  await accepting.run([first, String(rate), String(seconds), segmentMinutes])
  const { written } = accepting
  if (!written) throw new Error('The writing process told no figures')
  const kept = await compare(first, accepting)
  rmSync(first, { recursive: true })
  say(`accepted ${written.accepted} samples`)
  const killed = await kill(folder('kill'), options)
  const replayed = await replay(folder('replay'), Math.min(20, Math.max(5, seconds / 2)))
  return {
    samplesPerSecond: Math.round(written.accepted / written.seconds),
    samples: written.accepted,
    bytesPerSample: two(written.bytes),
    bytesPerSamplePacked: two(written.bytesPacked),
    packedSegments: written.packedSegments,
    cpuMicrosPerSample: two(written.cpuMicros / written.accepted),
    generatorMicrosPerSample: two(written.makingMicros),
    peakRssMb: Math.round(written.peakRssMb),
    commits: written.commits,
    ...sum(kept, killed.result),
    kills: killed.kills,
    ...replayed,
  }
}

const two = (value: number): number => Math.round(value * 100) / 100

const sum = (a: Awaited<ReturnType<typeof compare>>, b: Awaited<ReturnType<typeof compare>>) => ({
  compared: a.compared + b.compared,
  lost: a.lost + b.lost,
  duplicated: a.duplicated + b.duplicated,
  wrong: a.wrong + b.wrong,
})

/** Kills the writing process at random moments of its life, its start among them, and compares what it left. */
export async function kill(directory: string, { rounds = KILLS, seed = Date.now() % 1e9, say }: BenchOptions) {
  const random = randomOf(seed)
  const ledger = new Ledger()
  say(`kill -9 at ${rounds} moments, seed ${seed}`)
  for (let round = 1; round <= rounds; round++) {
    const lifeMs = random(LONGEST_LIFE_MS)
    const die = (child: ChildProcess) => setTimeout(() => child.kill('SIGKILL'), lifeMs)
    // One in four dies at any moment of its start, the others while they write.
    const from = random(4) === 0 ? 'start' : 'first-scan'
    await ledger.run([directory, String(KILLED_RATE), '0', KILLED_SEGMENT_MINUTES], { die, from })
    if (round % 50 === 0) say(`${round} kills, ${ledger.scans.size} scans accepted`)
  }
  return { kills: rounds, result: await compare(directory, ledger) }
}
