import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pick, type Random } from '#tests/support/random.ts'
import { writeFiles } from './files.ts'
import { type Judgement, judge } from './judge.ts'
import { type RunningLoad, startLoad } from './load.ts'
import type { ChaosLoad } from './plan.ts'
import { startEmbedded, startScaleOut, type Victim, type World, type WorldName } from './world.ts'

const SHAPE = { group: 'chaos', edges: 4, devices: 10, periodMs: 500 } as const
/** Far more than an idle machine needs: one at many times its load is to end a run by what it loses, never by how slow it is. */
const PATIENCE_MS = 300_000
/** A kill comes at any moment of this span after the last recovery. */
const CALM_MS = 2500
/** … and for three rounds of ten already while the last one is recovered from. */
const IMPATIENT = { of: 10, rounds: 3, leastMs: 200, mostMs: 3500 }
/** Two rounds of ten kill several at once. */
const SEVERAL = { of: 10, rounds: 2 }
/** Between two recoveries a process may end by itself while what it needs is away; more is a loop. */
const MOST_ENDS = 12
const ROUND_MS = 7000
const LOOK_AGAIN_MS = 50

export interface BlockOptions {
  readonly world: WorldName
  readonly dir: string
  readonly random: Random
  /** Number of its first round, and how many there are. */
  readonly firstRound: number
  readonly rounds: number
  readonly say: (line: string) => void
  /** False when no further round is to begin. */
  readonly goesOn: () => boolean
}

/** One round's kill. Times in ms since 1970. */
export interface Kill {
  readonly round: number
  readonly at: number
  readonly names: readonly string[]
  readonly processes: number
  /** When values were stored again; undefined when the next kill came before. */
  recoveredAt?: number
}

export interface BlockResult extends Judgement {
  readonly world: WorldName
  readonly kills: readonly Kill[]
  /** Processes that ended by themselves again and again. */
  readonly loops: readonly string[]
}

/** Runs some rounds on one fresh installation, then compares it with the ledger. */
export async function runBlock(options: BlockOptions): Promise<BlockResult> {
  const { dir, random, rounds } = options
  mkdirSync(dir, { recursive: true })
  const devices = SHAPE.edges * SHAPE.devices
  const faultEvery = Math.max(2, Math.round((rounds * ROUND_MS) / SHAPE.periodMs / devices))
  const load: ChaosLoad = { ...SHAPE, faultEvery, baseAt: Date.now() }
  const start = options.world === 'embedded' ? startEmbedded : startScaleOut
  const world = await start({ dir, config: writeFiles(dir, load), random })
  const running = startLoad(load, world.mqttPort)
  try {
    await running.caughtUp('the first values of a new installation are stored', PATIENCE_MS)
    options.say(`at work after ${Date.now() - load.baseAt} ms`)
    for (const one of world.processes) one.settled()
    const { kills, loops } = await killRounds(options, world, running)
    const ledger = await running.drain(PATIENCE_MS)
    options.say(`all acknowledged after ${Date.now() - load.baseAt} ms`)
    return { ...(await judge({ world, load, ledger })), kills, loops, world: options.world }
  } catch (error) {
    for (const one of world.processes) options.say(`--- ${one.name} said last:\n${one.words()}`)
    throw error
  } finally {
    running.close()
    await world.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function killRounds(options: BlockOptions, world: World, running: RunningLoad) {
  const { random, firstRound, rounds, say, goesOn } = options
  const kills: Kill[] = []
  const loops: string[] = []
  for (let i = 0; i < rounds && goesOn(); i++) {
    const isLast = i === rounds - 1
    const isImpatient = random(IMPATIENT.of) < IMPATIENT.rounds && !isLast
    const kill = await strike(world, random, firstRound + i)
    kills.push(kill)
    if (isImpatient) {
      await wait(IMPATIENT.leastMs + random(IMPATIENT.mostMs - IMPATIENT.leastMs))
      say(`round ${kill.round}: killed ${kill.names.join(', ')}; not waited for`)
      continue
    }
    const { bornAt } = await running.caughtUp(`values are stored again after ${kill.names.join(', ')}`, PATIENCE_MS)
    kill.recoveredAt = Date.now()
    const born = bornAt === undefined ? '' : `edges born again after ${bornAt - kill.at} ms, `
    say(
      `round ${kill.round}: killed ${kill.names.join(', ')}; ${born}stored again after ${kill.recoveredAt - kill.at} ms`,
    )
    for (const one of world.processes) {
      if (one.endsByItself() > MOST_ENDS) loops.push(`${one.name} ended ${one.endsByItself()} times: ${one.words()}`)
      one.settled()
    }
    if (!isLast) await wait(random(CALM_MS))
  }
  return { kills, loops }
}

/** Kills one or several; who is down already is passed over for another, and when all are, the next to come up is waited for. */
async function strike({ victims }: World, random: Random, round: number): Promise<Kill> {
  const wanted = random(SEVERAL.of) < SEVERAL.rounds ? 2 + random(victims.length - 1) : 1
  for (;;) {
    const at = Date.now()
    const hit = hitSome(victims, random, wanted)
    if (hit.names.length > 0) return { round, at, ...hit }
    await wait(LOOK_AGAIN_MS)
  }
}

function hitSome(victims: readonly Victim[], random: Random, wanted: number): Pick<Kill, 'names' | 'processes'> {
  const left = [...victims]
  const names: string[] = []
  let processes = 0
  while (left.length > 0 && names.length < wanted) {
    const one: Victim = pick(random, left)
    left.splice(left.indexOf(one), 1)
    const hit = one.kill()
    if (hit > 0) names.push(one.name)
    processes += hit
  }
  return { names, processes }
}

/** Where a block keeps its files. */
export const blockDir = (dir: string, block: number): string => join(dir, `block-${block}`)
