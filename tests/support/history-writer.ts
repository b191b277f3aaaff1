import { BatchBuilder } from '#cloud/pipeline/historian/batch.ts'
import { openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'

/** The journal that the program writes. */
const JOURNAL = { group: 'g', edge: 'e', epoch: 1n }
const ROWS = 500

/**
 * Commits numbered values for ever and prints, after each commit, the last offset that is safe. Value, time and offset are
 * the same number, so that a reader finds what is lost or doubled. Arguments: folder, rows of a slot.
 */
const [dir = '', slotRows = '5000'] = process.argv.slice(2)
const history = await openDuckDbHistorian({
  dir,
  log: silentLog,
  slotRows: Number(slotRows),
  mergeBlocks: 3,
  graceMs: 100,
})
const [mark] = await history.marks()
let next = Number(mark?.ranges.split('-')[1] ?? 0) + 1
process.stdout.write(`${next - 1}\n`)

for (;;) {
  const batch = new BatchBuilder()
  for (let i = next; i < next + ROWS; i++) batch.add(i % 7, i, i, GOOD)
  batch.add(7, next, `text ${next}`, GOOD)
  batch.addRange(JOURNAL, BigInt(next), BigInt(next + ROWS - 1))
  try {
    await history.commit(batch.take())
    next += ROWS
    process.stdout.write(`${next - 1}\n`)
  } catch (error) {
    process.stdout.write(`failed ${(error as Error).message.replaceAll('\n', ' ')}\n`)
    const [known] = await history.marks().catch(() => [])
    if (known) next = Number(known.ranges.split('-')[1]) + 1
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
