import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomOf } from '#tests/support/random.ts'
import { type Bench, type BenchResult, percentile } from './bench.ts'
import { type BlockResult, blockDir, type Kill, runBlock } from './chaos/block.ts'
import type { FaultKind } from './chaos/compare.ts'
import { canScaleOut, type WorldName } from './chaos/world.ts'

const ROUNDS = 200
const ROUNDS_A_BLOCK = 20
/** Values must be stored again this long after the last kill. */
const SLOW_MS = 15_000
const MOST_TOLD = 40

/**
 * kill -9 of random processes at random moments under load, in blocks of rounds on two set-ups side by side: everything in one
 * process, and everything apart; at the end of each block history, alarm log, incidents and pages against the ledger.
 */
export const bench: Bench = {
  name: 'chaos',
  summary: 'random kill -9 of every process under load; history, alarm log and pages against a ledger',
  seconds: 7200,
  run: async ({ seconds, data, say, rounds = ROUNDS, seed = Date.now() % 2 ** 32 }) => {
    say(`seed ${seed}: run again with --seed ${seed} --rounds ${rounds}`)
    const dir = data ?? mkdtempSync(join(tmpdir(), 'andon-chaos-'))
    const startedAt = performance.now()
    const goesOn = () => performance.now() - startedAt < seconds * 1000
    const blocks = plan(rounds)
    const results: BlockResult[] = []
    try {
      while (blocks.length > 0 && goesOn()) {
        const sideBySide = blocks.splice(0, WORLDS.length)
        const ended = await Promise.allSettled(sideBySide.map((one) => runOne(one, { dir, seed, say, goesOn })))
        results.push(...ended.map(resultOf))
      }
    } finally {
      if (!data) rmSync(dir, { recursive: true, force: true })
    }
    return { seed, ...summary(results), minutes: round((performance.now() - startedAt) / 60_000) }
  },
}

/** A block that failed fails the run, once the one beside it has stopped what it started. */
function resultOf(ended: PromiseSettledResult<BlockResult>): BlockResult {
  if (ended.status === 'rejected') throw ended.reason
  return ended.value
}

const WORLDS: readonly WorldName[] = canScaleOut() ? ['embedded', 'scale-out'] : ['embedded']

interface Block {
  readonly number: number
  readonly world: WorldName
  readonly firstRound: number
  readonly rounds: number
}

/** Blocks that take turns between the two set-ups; with few rounds each gets half. */
function plan(rounds: number): Block[] {
  const size = Math.min(ROUNDS_A_BLOCK, Math.ceil(rounds / WORLDS.length))
  return Array.from({ length: Math.ceil(rounds / size) }, (_, number) => ({
    number,
    world: WORLDS[number % WORLDS.length] ?? 'embedded',
    firstRound: number * size + 1,
    rounds: Math.min(size, rounds - number * size),
  }))
}

interface Run {
  readonly dir: string
  readonly seed: number
  readonly say: (line: string) => void
  readonly goesOn: () => boolean
}

/** Runs a block; what it says and what goes wrong names the seed. */
async function runOne(block: Block, { dir, seed, goesOn, ...run }: Run): Promise<BlockResult> {
  const name = `seed ${seed}, ${block.world} block ${block.number}`
  const say = (line: string) => run.say(`${name}, ${line}`)
  say(`rounds ${block.firstRound} to ${block.firstRound + block.rounds - 1}`)
  const random = randomOf(seed + block.number * 7919)
  try {
    const result = await runBlock({ ...block, dir: blockDir(dir, block.number), random, say, goesOn })
    tell(result, say)
    return result
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error })
  }
}

const round = (value: number) => Math.round(value * 10) / 10

/** The round whose kill came last before a time. */
const roundAt = (kills: readonly Kill[], at: number | undefined) =>
  at === undefined ? undefined : (kills.findLast((kill) => kill.at <= at + 1000) ?? kills[0])?.round

function tell(result: BlockResult, say: (line: string) => void): void {
  const { faults, kills, loops, values, alarms, pages } = result
  say(`compared ${values} values, ${alarms} alarm transitions, ${pages} pages; ${faults.length} differ`)
  for (const { kind, what, at } of faults.slice(0, MOST_TOLD)) {
    say(`round ${roundAt(kills, at) ?? '?'}: ${kind}: ${what}${at === undefined ? '' : ` at ${at}`}`)
  }
  for (const loop of loops) say(loop)
}

function summary(results: readonly BlockResult[]): BenchResult {
  const all = results.flatMap(({ faults }) => faults)
  const kills = results.flatMap((result) => result.kills)
  const recoveries = kills.flatMap(({ at, recoveredAt }) => (recoveredAt ? [recoveredAt - at] : []))
  const sum = (read: (result: BlockResult) => number) => results.reduce((total, result) => total + read(result), 0)
  const count = (...kinds: FaultKind[]) => all.filter(({ kind }) => kinds.includes(kind)).length
  const compared = sum(({ values }) => values)
  return {
    ...{ rounds: kills.length, faults: kills.length, kills: kills.reduce((n, { processes }) => n + processes, 0) },
    ...{ compared, alarms: sum(({ alarms }) => alarms), pages: sum(({ pages }) => pages) },
    ...{ lost: count('lost'), duplicated: count('duplicated'), wrong: count('changed') },
    ...{ alarmsMissing: count('alarmMissing'), alarmsTwice: count('alarmTwice') },
    alarmsWrong: count('alarmWrong', 'logHole', 'occurrenceWrong', 'incidentMissing', 'incidentTwice'),
    ...{ pagesMissed: count('pageMissed'), pagesTwice: count('pageTwice') },
    ...{ crashLoops: sum(({ loops }) => loops.length), slow: recoveries.filter((ms) => ms > SLOW_MS).length },
    ...{ recoveryP50Ms: percentile(recoveries, 0.5), recoveryMaxMs: Math.max(...recoveries) },
    recoveries: Object.fromEntries(recoveriesOf(results)),
  }
}

/** How long the kill of one victim alone took, by set-up and victim. */
function recoveriesOf(results: readonly BlockResult[]): [string, object][] {
  const alone = results.flatMap(({ world, kills }) =>
    kills.flatMap(({ at, recoveredAt, names }, i) => {
      const isAfterAnother = i > 0 && kills[i - 1]?.recoveredAt === undefined
      return recoveredAt && names.length === 1 && !isAfterAnother
        ? [{ of: `${world} ${names[0]}`, ms: recoveredAt - at }]
        : []
    }),
  )
  return [...Map.groupBy(alone, ({ of }) => of)].map(([of, own]) => {
    const times = own.map(({ ms }) => ms)
    return [of, { rounds: own.length, p50Ms: percentile(times, 0.5), maxMs: Math.max(...times) }]
  })
}
