import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Alarm, AlarmDetail } from '#shared/contracts/alarm.ts'
import type { Edge } from '#shared/contracts/edge.ts'
import type { RawHistory } from '#shared/contracts/history.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { Client } from '#tests/support/client.ts'
import { type Demo, descendants, startDemo } from '#tests/support/demo.ts'
import { addTo, type Comparison, compareTag, type Kill, noComparison, readLedger, type Stored } from './ledger.ts'

const PLANT = fileURLToPath(new URL('../bench/plants/counters.yaml', import.meta.url))
/** Seconds between two kills; more of them make a longer run. */
const CALM_SECONDS = Number(process.env.ANDON_CHAOS_CALM_SECONDS ?? 4)
const ROUNDS = Number(process.env.ANDON_CHAOS_ROUNDS ?? 1)
const LEAST_COMPARED = 100_000

const LEAST_OPCUA = 5000

/** The edge dates a value when the answer has come: an answer just before the end of the comparison is dated after it. */
const ANSWERED_TO_DATED_MS = 1000

const VICTIMS = ['cloud', 'edge', 'opcua worker', 'postgres', 'plant', 'supervisor', 'everything'] as const
type Victim = (typeof VICTIMS)[number]
/** Whose kill may cost what was in flight between a device and the journal of the edge. */
const BETWEEN: readonly Victim[] = ['edge', 'plant', 'supervisor', 'everything']

const dir = mkdtempSync(join(tmpdir(), 'andon-chaos-'))
const ledger = join(dir, 'plant.ledger')

const commandOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Process ids of one part of the demo. */
function pidsOf(demo: Demo, victim: Victim): number[] {
  const all = demo.pids()
  const child = (name: string) => all.filter((pid) => commandOf(pid).includes(`andon.ts ${name} `))
  switch (victim) {
    case 'edge':
      return child('edge')
    case 'cloud':
      return child('cloud')
    case 'plant':
      return child('devices')
    case 'opcua worker':
      return all.filter((pid) => commandOf(pid).includes('edge/drivers/opcua/worker.ts'))
    case 'supervisor':
      return all.slice(0, 1)
    case 'postgres':
      return all.filter((pid) => /bin\/postgres\b/.test(commandOf(pid))).slice(0, 1)
    case 'everything':
      return all
  }
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Already gone: its parent was killed a moment before.
    }
  }
}

/** Resolves with the time at which the last of these processes had ended, ms since 1970. */
async function ended(pids: readonly number[]): Promise<number> {
  while (pids.some(commandOf)) await new Promise((resolve) => setTimeout(resolve, 20))
  return Date.now()
}

/** Resolves when a value newer than `after` of every counter's device is live. */
async function flowsAgain(client: Client, after: number): Promise<void> {
  await client.until(
    'live values after the kill',
    async () => {
      const { items } = await client.get<PageOf<Tag>>('/api/tags?q=c000&limit=500')
      return items.length === 5 && items.every((t) => t.quality === 'good' && Date.parse(t.sourceAt ?? '') > after)
    },
    90_000,
  )
}

async function readRaw(client: Client, path: string): Promise<Stored[]> {
  const stored: Stored[] = []
  let cursor = ''
  do {
    const query = new URLSearchParams({
      tag: path,
      from: '2020-01-01T00:00:00Z',
      to: '2100-01-01T00:00:00Z',
      limit: '10000',
    })
    if (cursor) query.set('cursor', cursor)
    const page = await client.get<RawHistory>(`/api/history/raw?${query}`)
    page.at.forEach((at, i) => {
      stored.push({ at, value: Number(page.value[i]), isBad: page.quality[i] === 0 })
    })
    cursor = page.nextCursor ?? ''
  } while (cursor)
  return stored
}

const inWords = (protocol: string, { compared, excusedByKill, excusedByRecord }: Comparison) =>
  `compared ${compared} ${protocol} values (missing: ${excusedByKill} in flight at a kill, ${excusedByRecord} while recorded as lost)`

const countAnswers = () => [...readLedger(ledger, isModbus).values()].reduce((n, tag) => n + tag.answered.length, 0)

const isCounter = (device: string) => device.startsWith('counters')

const isOpcua = (device: string) => device === 'counters-5'
const isModbus = (device: string) => isCounter(device) && !isOpcua(device)

interface Compare {
  readonly isWanted: (device: string) => boolean
  readonly until: number
  readonly kills: readonly Kill[]
  readonly givesTimes: boolean
}

async function compareAll(client: Client, { isWanted, until, ...options }: Compare): Promise<Comparison> {
  const total = noComparison()
  for (const [key, tag] of readLedger(ledger, isWanted)) {
    const known = { ...tag, answered: tag.answered.filter((answer) => answer.at <= until) }
    const stored = (await readRaw(client, `module-factory/line-1/${key}`)).filter(
      (s) => s.at <= until + ANSWERED_TO_DATED_MS,
    )
    addTo(total, compareTag(key, known, stored, options))
  }
  return total
}

describe('kill -9 of any process, of PostgreSQL, of everything at once', () => {
  const kills: Kill[] = []
  const workerKills: Kill[] = []
  /** Every kill in words, for the text of a failure. */
  const story: string[] = []
  let demo: Demo
  let client: Client

  const restart = async () => {
    demo = await startDemo({ plant: PLANT, data: join(dir, 'data'), args: ['--ledger', ledger] })
    client = await demo.signIn('operator')
  }
  /** The stream dies with the cloud: sign in anew until it answers. */
  const signInAgain = async () => {
    client.close()
    for (let attempt = 0; ; attempt++) {
      try {
        client = await demo.signIn('operator')
        return
      } catch (error) {
        if (attempt > 200) throw error
        await new Promise((resolve) => setTimeout(resolve, 250))
      }
    }
  }

  afterAll(async () => {
    client?.close()
    await demo?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('starts and streams counters', async () => {
    await restart()
    await flowsAgain(client, 0)
  })

  it.each(Array.from({ length: ROUNDS }, () => VICTIMS).flat())('goes on after a kill of %s', async (victim) => {
    const from = Date.now()
    await client.until('calm', async () => Date.now() - from > CALM_SECONDS * 1000, CALM_SECONDS * 1000 + 30_000)
    const family = demo.pids()
    const pids = pidsOf(demo, victim)
    expect(pids.length).toBeGreaterThan(0)
    const below = pids.flatMap(descendants)
    const at = Date.now()
    kill(pids)
    const goneAt = await ended(below)
    story.push(`${victim} killed at ${at}, its children gone at ${goneAt}`)
    if (BETWEEN.includes(victim)) kills.push({ at, goneAt })
    if (victim === 'opcua worker') workerKills.push({ at, goneAt })
    if (victim === 'everything' || victim === 'supervisor') {
      client.close()
      await restart()
    } else await signInAgain()
    await flowsAgain(client, at)
    // Parts that lost their supervisor, and processes that lost their parent, must not stay behind.
    if (victim === 'supervisor' || victim === 'everything') expect(family.map(commandOf).filter(Boolean)).toEqual([])
  })

  it('has every answered value in history exactly once, compared value by value', async () => {
    const until = Date.now()
    await client.until('more than 100,000 answers', async () => countAnswers() > LEAST_COMPARED * 1.05, 240_000)
    const end = Math.max(until, Date.now())
    await flowsAgain(client, end)
    await client.until('an empty journal', async () => {
      const { items } = await client.get<PageOf<Edge>>('/api/edges')
      return Number(items.find((edge) => edge.edge === 'line-1')?.journalDepth) < 5000
    })
    const of = { until: end - 2000 }
    const modbus = await compareAll(client, { ...of, isWanted: isModbus, kills, givesTimes: false })
    const opcuaKills = [...kills, ...workerKills]
    const opcua = await compareAll(client, { ...of, isWanted: isOpcua, kills: opcuaKills, givesTimes: true })
    process.stdout.write(`${inWords('Modbus', modbus)}, ${inWords('OPC UA', opcua)} after ${story.length} kills\n`)
    for (const result of [modbus, opcua]) {
      const { lost, doubled, unknown, misdated } = result
      const faults = { lost, doubled, unknown, misdated }
      expect(faults, story.join(', ')).toEqual({ lost: [], doubled: [], unknown: [], misdated: [] })
    }
    expect(modbus.compared).toBeGreaterThan(LEAST_COMPARED)
    expect(opcua.compared).toBeGreaterThan(LEAST_OPCUA)
  })

  it('has no gap in the sequence of the alarm log', async () => {
    const { items } = await client.get<PageOf<Alarm>>('/api/alarms?show=all&limit=500')
    const read = async () => {
      const logs = await Promise.all(items.map((alarm) => client.get<AlarmDetail>(`/api/alarms/${alarm.id}`)))
      return logs.flatMap(({ log }) => log.map((line) => Number(line.seq))).toSorted((a, b) => a - b)
    }
    // The plant goes on: what was logged while the first reading ran is left to the second.
    const newest = (await read()).at(-1) ?? 0
    const numbers = (await read()).filter((seq) => seq <= newest)
    expect(numbers.length).toBeGreaterThan(10)
    expect(numbers).toEqual(numbers.map((_, i) => i + 1))
  })
})
