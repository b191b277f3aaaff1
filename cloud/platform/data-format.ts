import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseRefusal } from './database/refusal.ts'

/** Counts up when files of the data directory change their form in a way that an older version would misread. */
const FORMAT = 1

/** Marks a new data directory with its format. Throws DatabaseRefusal for one of another format, before anything is touched. */
export function keepFormat(dataDir: string): void {
  const file = join(dataDir, 'format')
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    writeFileSync(file, `${FORMAT}\n`)
    return
  }
  const found = readFileSync(file, 'utf8').trim()
  if (found === String(FORMAT)) return
  throw new DatabaseRefusal(
    `The data directory ${dataDir} has the format '${found}', this version of Andon works with format ${FORMAT}. ` +
      'Start the version that made it, or choose another ANDON_DATA.',
  )
}
