/**
 * A process that appends scans of devices to a journal at a rate and tells each accepted one on stdout: for some seconds,
 * or until it is killed (0).
 */
import { writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type Journal, openJournal } from '#edge/journal/index.ts'
import type { TagSample } from '#edge/model.ts'
import { silentLog } from '#shared/log/log.ts'
import { DEVICE_TAGS, type Told, typeOf, valueAt } from './plan.ts'

const [directory = '', rateText = '200000', secondsText = '0', segmentMinutes = '10'] = process.argv.slice(2)
const seconds = Number(secondsText)
const PAUSE = new Int32Array(new SharedArrayBuffer(4))
const devices = Math.max(1, Math.round(Number(rateText) / DEVICE_TAGS))
const clock = { now: () => Date.now(), monotonic: () => performance.now() }
const config = { maxMb: 100_000, segmentMinutes: Number(segmentMinutes), ballastMb: 1 }
const journal = openJournal({ directory, config, clock, log: silentLog })
const tags = Array.from({ length: devices }, (_, device) =>
  Array.from({ length: DEVICE_TAGS }, (_, tag) => journal.tagId(`device-${device}`, `tag-${tag}`, typeOf(tag))),
)

/** Told at once, whatever the pipe holds: a line in a buffer of this process would die with it. */
function say(told: Told): void {
  let rest = Buffer.from(`${JSON.stringify(told)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(PAUSE, 0, 0, 1)
    }
  }
}

function scan(device: number, at: number): TagSample[] {
  return (tags[device] ?? []).map((tagId, tag) => ({
    tagId,
    sourceAt: at,
    value: valueAt(device, tag, at),
    quality: 192 as const,
  }))
}

async function append(device: number): Promise<void> {
  const at = Date.now()
  await journal.append(scan(device, at))
  say({ scan: [device, at] })
}

/** Devices in turn, each once a second, as a gateway reads them. */
async function write(until: number): Promise<void> {
  const startedAt = performance.now()
  const open = new Set<Promise<void>>()
  for (let scans = 0; performance.now() < until; ) {
    const due = Math.floor(((performance.now() - startedAt) * devices) / 1000)
    for (; scans < due; scans++) {
      const one = append(scans % devices).finally(() => open.delete(one))
      open.add(one)
    }
    await wait(5)
  }
  await Promise.all(open)
}

/** CPU time of making a sample, µs: what is not the journal's. */
function making(): number {
  for (let i = 0; i < 200; i++) scan(i % devices, i)
  const before = process.cpuUsage()
  for (let i = 0; i < 1000; i++) scan(i % devices, i * 1000)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (1000 * DEVICE_TAGS)
}

/** Waits until every segment that is closed by now is packed, the oldest first; each sample gives the journal a reason to look after its house. */
async function packAll(of: Journal): Promise<void> {
  const closed = of.status().segments - 1
  while (of.status().counters.repacked < closed) {
    await append(0)
    await wait(200)
  }
}

if (seconds === 0) await write(Number.POSITIVE_INFINITY)
// The first commits register the tags and are compiled.
await write(performance.now() + 2000)
const makingMicros = making()
const first = journal.status().counters
const [before, startedAt] = [process.cpuUsage(), performance.now()]
await write(startedAt + seconds * 1000)
const { user, system } = process.cpuUsage(before)
const elapsed = (performance.now() - startedAt) / 1000
const { counters: last, sizeBytes } = journal.status()
const [accepted, commits] = [last.accepted - first.accepted, last.commits - first.commits]
const bytes = sizeBytes / last.accepted
await packAll(journal)
const { counters, sizeBytes: packedBytes } = journal.status()
const bytesPacked = packedBytes / counters.accepted
const peakRssMb = process.resourceUsage().maxRSS / 1024
await journal.close()
say({
  written: {
    ...{ accepted, commits, bytes, bytesPacked, packedSegments: counters.repacked, peakRssMb, makingMicros },
    ...{ seconds: elapsed, cpuMicros: user + system - makingMicros * accepted },
  },
})
