import { setTimeout as wait } from 'node:timers/promises'
import { compareAlarm, compareNumbers, compareOccurrences, comparePages, compareTag, type Fault } from './compare.ts'
import { ALARMS, expectedOf } from './expect.ts'
import { type Accepted, type ChaosLoad, placeName, places, sampleOf, TAGS } from './plan.ts'
import { apiReader, engineReader, type Records, readRecords } from './read.ts'
import type { World } from './world.ts'

const PATIENCE_MS = 60_000
/** What goes out twice may do so a moment later. */
const AFTERMATH_MS = 2500

/** What was compared, and what was found otherwise than in the ledger. */
export interface Judgement {
  readonly values: number
  readonly alarms: number
  readonly pages: number
  readonly faults: readonly Fault[]
}

export interface JudgeOptions {
  readonly world: World
  readonly load: ChaosLoad
  readonly ledger: readonly Accepted[]
}

/** Compares an installation at rest with the ledger: every value, the alarm log, incidents and pages. */
export async function judge(options: JudgeOptions): Promise<Judgement> {
  const failed = failedMachines(options)
  await peopleSettled(options.world, failed)
  const values = await judgeValues(options)
  const records = await readRecords(options.world.database())
  const alarms = judgeAlarms(options, records)
  const faults = [...values.faults, ...alarms.faults, ...comparePages(failed, records.called)]
  return { values: values.count, alarms: alarms.count, pages: failed.size, faults }
}

const acceptedOf = (ledger: readonly Accepted[], edge: number): Accepted => {
  const accepted = ledger[edge]
  if (!accepted) throw new Error(`the ledger has no edge ${edge}`)
  return accepted
}

/** Machines that failed, with the time: each must have called somebody. */
function failedMachines({ load, ledger }: JudgeOptions): ReadonlyMap<string, number> {
  return new Map(
    places(load).flatMap((place) => {
      const [first] = expectedOf(load, place, 'machine-fault', acceptedOf(ledger, place.edge))
      return first ? [[placeName(place), first.at] as const] : []
    }),
  )
}

/** Waits until everybody is called who must be, or patience ends: what is missing then is missing. */
async function peopleSettled(world: World, failed: ReadonlyMap<string, number>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  const isSettled = ({ called }: Records) => comparePages(failed, called).length === 0
  while (!isSettled(await readRecords(world.database())) && performance.now() < giveUpAt) await wait(500)
  await wait(AFTERMATH_MS)
}

async function judgeValues({ world, load, ledger }: JudgeOptions): Promise<{ count: number; faults: Fault[] }> {
  const reader = await (world.engineUrl ? engineReader(world.engineUrl) : apiReader(world.url, PATIENCE_MS))
  const faults: Fault[] = []
  let count = 0
  for (const place of places(load)) {
    const { rounds, quietFrom } = acceptedOf(ledger, place.edge)
    for (const tag of TAGS) {
      const expected = Array.from({ length: rounds }, (_, n) => sampleOf(load, place, tag, { n, quietFrom }))
      const path = `${load.group}/${placeName(place)}/${tag}`
      faults.push(...compareTag(path, expected, await reader.read(path)))
      count += rounds
    }
  }
  reader.close()
  return { count, faults }
}

function judgeAlarms({ load, ledger }: JudgeOptions, { logged, occurred }: Records) {
  const faults = compareNumbers(logged.map(({ seq }) => seq))
  const byPoint = Map.groupBy(logged, ({ point }) => point)
  const occurrences = Map.groupBy(occurred, ({ point }) => point)
  let count = 0
  for (const place of places(load)) {
    for (const alarm of ALARMS) {
      const point = `${placeName(place)}/${alarm}`
      const expected = expectedOf(load, place, alarm, acceptedOf(ledger, place.edge))
      count += expected.length
      faults.push(...compareAlarm(point, expected, byPoint.get(point) ?? []))
      faults.push(...compareOccurrences(point, expected, occurrences.get(point) ?? []))
    }
  }
  return { count, faults }
}
