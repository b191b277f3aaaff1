import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openJournal } from '#edge/journal/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { DEVICE_TAGS, type Told, valueAt, type Written } from './plan.ts'

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url))

/** What the processes that wrote have told as accepted, kept by the one that starts and kills them. */
export class Ledger {
  readonly scans = new Set<string>()
  written: Written | undefined

  /** Lets a process write until it ends by itself, or is made to from its start or from its first accepted scan on. */
  async run(args: readonly string[], end?: { die(child: ChildProcess): void; from: 'start' | 'first-scan' }) {
    const child = spawn(process.execPath, [WRITER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (end?.from === 'start') end.die(child)
    const ended = once(child, 'exit')
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      if (lines++ === 0 && end?.from === 'first-scan') end.die(child)
      this.#hear(line)
    }
    const [code, signal] = (await ended) as [number | null, string | null]
    if (code !== 0 && !(end && signal === 'SIGKILL'))
      throw new Error(`The writing process ended with ${code ?? signal}`)
  }

  /** A line that a kill cut in two tells nothing. */
  #hear(line: string): void {
    if (!line.endsWith('}')) return
    const told = JSON.parse(line) as Told
    if ('scan' in told) this.scans.add(told.scan.join(' '))
    else this.written = told.written
  }
}

export interface Compared {
  readonly compared: number
  readonly lost: number
  readonly duplicated: number
  readonly wrong: number
}

/** Compares every sample of a journal with the ledger: what was accepted must be there once, and all that is there be right. */
export async function compare(directory: string, ledger: Ledger): Promise<Compared> {
  const journal = openJournal({ directory, clock: { now: Date.now }, config: { maxMb: 100_000 }, log: silentLog })
  const places = new Map<number, { device: number; tag: number }>()
  const place = (tagId: number) => {
    const known = places.get(tagId)
    if (known) return known
    const { device = '', tag = '' } = journal.tag(tagId) ?? {}
    const found = { device: Number(device.slice('device-'.length)), tag: Number(tag.slice('tag-'.length)) }
    places.set(tagId, found)
    return found
  }
  const seen = new Map<string, Uint8Array>()
  let [compared, duplicated, wrong, last] = [0, 0, 0, 0n]
  for (let records = journal.read(1n, 64); records.length > 0; records = journal.read(last + 1n, 64)) {
    for (const record of records) {
      if (record.first <= last) wrong += 1
      last = record.last
      if (record.device === undefined) continue
      for (const { tagId, sourceAt, value, quality } of record.samples) {
        const { device, tag } = place(tagId)
        const key = `${device} ${sourceAt}`
        const marks = seen.get(key) ?? new Uint8Array(DEVICE_TAGS)
        seen.set(key, marks)
        if (marks[tag] === 1) duplicated += 1
        marks[tag] = 1
        if (value !== valueAt(device, tag, sourceAt) || quality !== 192) wrong += 1
        compared += 1
      }
    }
    await new Promise(setImmediate)
  }
  await journal.close()
  let lost = 0
  for (const scan of ledger.scans) lost += DEVICE_TAGS - (seen.get(scan)?.reduce((sum, mark) => sum + mark, 0) ?? 0)
  return { compared, lost, duplicated, wrong }
}
