/** A program that appends counting samples to a journal until it is killed, and tells each accepted one on stdout. */
import { writeSync } from 'node:fs'
import { openJournal } from '#edge/journal/index.ts'
import { silentLog } from '#shared/log/log.ts'

const [directory = '', start = '0'] = process.argv.slice(2)
const journal = openJournal({
  directory,
  config: { commitSpacingMs: 2, segmentMinutes: 0.002, ballastMb: 1 },
  clock: { now: () => Date.now() },
  log: silentLog,
})
let counter = BigInt(start)

async function append(lane: number): Promise<void> {
  const tags = [0, 1, 2].map((i) => journal.tagId(`device-${i}`, `counter-${lane}`, 'int64'))
  for (;;) {
    const own: bigint[] = []
    const samples = tags.map((tagId) => {
      counter += 1n
      own.push(counter)
      return { tagId, sourceAt: Date.now(), value: counter, quality: 192 as const }
    })
    await journal.append(samples, 'backfill')
    writeSync(1, `${own.join(' ')}\n`)
  }
}

await Promise.all([0, 1, 2, 3].map(append))
