import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { EdgeShard } from './edge-detection.ts'

const name = { en: 'x', 'zh-CN': 'x' }
const START = Date.UTC(2026, 10, 23, 8)
const PERIOD_MS = 500
const EPOCH = 7n

const define = (alarm: string, parts: Partial<AlarmDefinition>): AlarmDefinition => ({
  ...{ alarm, name, tag: 'level', priority: 'low' },
  condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90, deadband: 5 }] },
  ...parts,
})
const DELAYED = define('delayed', { onDelaySeconds: 2 })

/** Every kind that samples decide, with delays and windows. */
const ALARMS = [
  DELAYED,
  define('at-once', {}),
  define('slow-return', { onDelaySeconds: 1, offDelaySeconds: 3 }),
  define('rising', { condition: { kind: 'rate-of-change', perMinute: 120, windowSeconds: 4, direction: 'both' } }),
  define('slow-rise', {
    condition: { kind: 'rate-of-change', perMinute: 60, windowSeconds: 6, direction: 'both', deadband: 10 },
    ...{ onDelaySeconds: 2, offDelaySeconds: 2 },
  }),
  define('open', { tag: 'door', condition: { kind: 'discrete', abnormal: [1] }, onDelaySeconds: 2 }),
  define('instrument', { condition: { kind: 'bad-quality' }, onDelaySeconds: 2 }),
]

const profile = (alarms: readonly AlarmDefinition[]): DeviceProfile => ({
  ...{ profile: 'tank', version: 1, name, assetClass: 'tank', protocol: 'modbus' },
  tags: ['level', 'door'].map((tag, i) => ({ tag, name, address: `holding:${i}`, type: 'float32' })),
  alarms: [...alarms],
})

interface Sample {
  readonly tag: string
  /** Null: it could not be read. */
  readonly value: number | null
}

/** An edge, and what it does by the number of its rounds; a round takes half a second. */
class Tank {
  now = START
  readonly edge: EdgeShard
  readonly #profile: DeviceProfile
  #next = 1n

  constructor(alarms: readonly AlarmDefinition[], hasJournal = true) {
    this.#profile = profile(alarms)
    this.edge = new EdgeShard({
      edge: { org: 'org', group: 'works', edge: 'line-1' },
      ...{ points: [], machines: new Map(), memory: undefined, revision: 0, gaps: [], marks: new Map() },
      clock: () => this.now,
      urgent: () => undefined,
      idle: () => undefined,
      changed: () => undefined,
    })
    this.edge.onSession(hasJournal ? { epoch: EPOCH, first: 1n, newest: 0n } : undefined)
    this.edge.onBirth('tank-1', this.#profile)
  }

  /** Samples of a round with offsets of their own. */
  accept(n: number, samples: readonly Sample[]) {
    const first = this.#next
    this.#next += BigInt(samples.length)
    const taken = samples.map(({ tag, value }, i) => ({
      ...{ tag: this.edge.tag('tank-1', tag), sourceAt: timeOf(n) + i, value, offset: first + BigInt(i) },
      quality: value === null ? (0 as const) : (192 as const),
    }))
    return { samples: taken, range: { epoch: EPOCH, first, last: this.#next - 1n } }
  }

  /** The edge connects anew: it tells up to where it has accepted samples. */
  reconnect(): void {
    this.edge.onSession({ epoch: EPOCH, first: 1n, newest: this.#next - 1n })
    this.edge.onBirth('tank-1', this.#profile)
  }

  /** By point, with the time in rounds. */
  log() {
    const events = this.edge.take('all').events.map(({ event }) => event)
    return Object.fromEntries(
      Map.groupBy(events, ({ alarm }) => alarm)
        .entries()
        .map(([alarm, own]) => [alarm, own.map(({ recordedAt: _, ...event }) => event)]),
    )
  }

  /** Transitions with their rounds, of the alarm there is. */
  short() {
    return Object.values(this.log())
      .flat()
      .map(({ transition, eventAt }) => `${transition} ${(eventAt - START) / PERIOD_MS}`)
  }
}

const timeOf = (n: number) => START + n * PERIOD_MS
const level = (value: number): Sample[] => [{ tag: 'level', value }]

describe('an edge with a journal that falls silent while a delay runs', () => {
  const LONG = [50, 95, 95, 95, 95, 95, 95, 50]
  const SHORT = [50, 95, 95, 50, 50]

  /** Sends the rounds as backlog; before some of them the edge has been silent. */
  function late(tank: Tank, values: readonly number[], silentBefore: readonly number[]) {
    values.forEach((value, n) => {
      tank.now = timeOf(n) + 60_000
      if (silentBefore.includes(n)) tank.edge.onStale(tank.now)
      tank.edge.onSamples(tank.accept(n, level(value)))
      tank.edge.onBacklog(tank.now)
    })
    return tank.short()
  }

  it('activates when it would have, whenever its samples come', () => {
    const expected = ['activated 5', 'returned 7']
    expect(late(new Tank([DELAYED]), LONG, [])).toEqual(expected)
    expect(late(new Tank([DELAYED]), LONG, [3])).toEqual(expected)
    expect(late(new Tank([DELAYED]), LONG, [2, 4, 6])).toEqual(expected)
  })

  it('ends no delay by a heartbeat while samples that it has accepted are on their way', () => {
    const tank = new Tank([DELAYED])
    const rounds = SHORT.map((value, n) => tank.accept(n, level(value)))
    for (const round of rounds.slice(0, 2)) tank.edge.onSamples(round)
    tank.now = timeOf(20)
    tank.edge.onStale(tank.now)
    tank.reconnect()
    tank.edge.onEventTime(tank.now)
    for (const round of rounds.slice(2)) {
      tank.edge.onSamples(round)
      tank.edge.onBacklog(tank.now)
    }
    tank.edge.onEventTime(timeOf(40))
    expect(tank.short()).toEqual([])
  })

  it('ends none by a heartbeat either where messages may have been lost on the way, until samples come', () => {
    const tank = new Tank([DELAYED])
    const rounds = SHORT.map((value, n) => tank.accept(n, level(value)))
    for (const round of rounds.slice(0, 2)) tank.edge.onSamples(round)
    tank.edge.mayHaveMissed({ epoch: EPOCH, first: 1n })
    tank.now = timeOf(8)
    tank.edge.onEventTime(tank.now)
    for (const round of [...rounds.slice(3), ...rounds.slice(2, 3)]) tank.edge.onSamples(round)
    tank.edge.onEventTime(timeOf(9))
    expect(tank.short()).toEqual([])
  })

  it('waits for missing samples by the clock of the edge, which a machine that stands still does not move', () => {
    const tank = new Tank([DELAYED])
    const [before, missing, ...ahead] = LONG.map((value, n) => tank.accept(n, level(value)))
    const send = (round = before) => {
      if (round) tank.edge.onSamples(round)
      tank.edge.onEventTime(Number(round?.range.first) * PERIOD_MS + START)
    }
    send()
    send(ahead[0])
    tank.now += 60_000
    for (const round of ahead.slice(1)) send(round)
    expect(tank.short()).toEqual([])
    send(missing)
    expect(tank.short()).toEqual(['activated 5', 'returned 7'])
  })

  it('judges what came ahead of missing samples once the edge has not sent them for ten seconds', () => {
    const tank = new Tank([DELAYED])
    const [before, , ahead] = [50, 50, 95].map((value, n) => tank.accept(n, level(value)))
    for (const round of [before, ahead]) if (round) tank.edge.onSamples(round)
    for (let n = 2; n <= 21; n++) tank.edge.onEventTime(timeOf(n))
    expect(tank.short()).toEqual([])
    tank.edge.onEventTime(timeOf(22))
    expect(tank.short()).toEqual(['activated 6'])
  })

  it('waits ten seconds at most for what does not come', () => {
    const tank = new Tank([DELAYED])
    for (const n of [0, 1]) tank.edge.onSamples(tank.accept(n, level(n === 0 ? 50 : 95)))
    tank.accept(2, level(50))
    tank.reconnect()
    for (let n = 2; n <= 22; n++) {
      tank.now = timeOf(n)
      tank.edge.onEventTime(tank.now)
    }
    expect(tank.short()).toEqual(['activated 5'])
  })

  it('shows the silence, and that it is over', () => {
    const tank = new Tank([DELAYED])
    tank.edge.onSamples(tank.accept(0, level(95)))
    tank.edge.onStale(timeOf(7))
    const [point] = [...tank.edge.points.all()]
    expect(point?.state).toMatchObject({ phase: 'pending-on', since: START, staleSince: timeOf(7) })
    tank.edge.onEventTime(timeOf(2))
    expect(point?.state).toMatchObject({ phase: 'pending-on', since: START, staleSince: null })
  })

  it('leaves log and states as they would have been, whatever falls silent when', () => {
    let events = 0
    fc.assert(
      fc.property(rounds, disturbances, (given, when) => {
        const [without, disturbed] = [undisturbed(given), disturb(given, when)]
        const log = without.log()
        events += Object.values(log).flat().length
        expect(disturbed.log()).toEqual(log)
        const states = ({ edge }: Tank) => [...edge.points.all()].map(({ state }) => state)
        expect(states(disturbed)).toEqual(states(without))
      }),
      { numRuns: 300 },
    )
    expect(events).toBeGreaterThan(1000)
  })
})

describe('a delay begins anew (T23)', () => {
  const LONG = [50, 95, 95, 95, 95, 95, 95, 95, 95, 50]
  const play = (tank: Tank, isLost: (n: number) => boolean, between: (n: number, lost: bigint) => void) => {
    let lost = 0n
    LONG.forEach((value, n) => {
      tank.now = timeOf(n)
      const round = tank.accept(n, level(value))
      if (isLost(n)) lost = round.range.first
      between(n, lost)
      if (!isLost(n)) tank.edge.onSamples(round)
      if (!isLost(n)) tank.edge.onEventTime(tank.now)
    })
    return tank.short()
  }

  it('by the silence of an edge without a journal', () => {
    const tank = new Tank([DELAYED], false)
    LONG.forEach((value, n) => {
      tank.now = timeOf(n)
      if (n === 3) tank.edge.onStale(tank.now)
      tank.edge.onSamples({ samples: tank.accept(n, level(value)).samples })
      tank.edge.onEventTime(tank.now)
    })
    expect(tank.short()).toEqual(['activated 7', 'returned 9'])
  })

  it('where a gap record says that samples are missing, of this device or of all', () => {
    const lose = (tank: Tank, device: string | undefined) => (n: number, lost: bigint) =>
      n === 4 && tank.edge.onGap({ epoch: EPOCH, first: lost, last: lost }, device)
    const [all, own, other] = [new Tank([DELAYED]), new Tank([DELAYED]), new Tank([DELAYED])]
    expect(play(all, (n) => n === 3, lose(all, undefined))).toEqual(['activated 8', 'returned 9'])
    expect(play(own, (n) => n === 3, lose(own, 'tank-1'))).toEqual(['activated 8', 'returned 9'])
    expect(play(other, (n) => n === 3, lose(other, 'tank-2'))).toEqual(['activated 5', 'returned 9'])
  })

  it('at the place of the gap, though its record comes before the backlog', () => {
    const tank = new Tank([DELAYED])
    const rounds = LONG.map((value, n) => tank.accept(n, level(value)))
    for (const round of rounds.slice(0, 2)) tank.edge.onSamples(round)
    const gap = rounds[3]?.range ?? { epoch: EPOCH, first: 0n, last: 0n }
    tank.edge.onGap(gap)
    for (const round of rounds.filter((_, n) => n > 1 && n !== 3)) tank.edge.onSamples(round)
    expect(tank.short()).toEqual(['activated 8', 'returned 9'])
  })

  it('with the first sample behind offsets that have not come after ten seconds, and in their replay it does not', () => {
    const tank = new Tank([DELAYED])
    const rounds = [95, 95, 50, 95, 95, 95, 95, 95].map((value, n) => tank.accept(n, level(value)))
    for (const round of rounds.slice(0, 2)) tank.edge.onSamples(round)
    tank.edge.onSamples(rounds[3] as (typeof rounds)[number])
    tank.edge.waitNoLonger()
    const [gap] = tank.edge.gaps.open
    const [noted] = [...(gap?.tags.values() ?? [])]
    expect([...(noted?.points.values() ?? [])]).toMatchObject([{ state: { phase: 'pending-on', since: timeOf(0) } }])
    for (const round of rounds.slice(4)) tank.edge.onSamples(round)
    expect(tank.short()).toEqual(['activated 7'])
  })

  it('when another journal takes the place of the one that was', () => {
    const tank = new Tank([DELAYED])
    for (const n of [0, 1]) tank.edge.onSamples(tank.accept(n, level(95)))
    tank.edge.onSession({ epoch: 8n, first: 1n, newest: 0n })
    const samples = [{ tag: tank.edge.tag('tank-1', 'level'), sourceAt: timeOf(5), value: 95, quality: 192 as const }]
    tank.edge.onSamples({ samples, range: { epoch: 8n, first: 1n, last: 1n } })
    tank.edge.onEventTime(timeOf(5))
    expect(tank.short()).toEqual([])
    tank.edge.onEventTime(timeOf(9))
    expect(tank.short()).toEqual(['activated 9'])
  })
})

const sample = fc.oneof(
  { weight: 8, arbitrary: fc.record({ tag: fc.constant('level'), value: fc.integer({ min: 80, max: 96 }) }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant('level'), value: fc.constant(null) }) },
  { weight: 3, arbitrary: fc.record({ tag: fc.constant('door'), value: fc.integer({ min: 0, max: 1 }) }) },
)
/** What each round brings; many bring nothing but a heartbeat, because an edge reports by exception. */
const rounds = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(sample, { minLength: 1, maxLength: 2 }) },
  ),
  { minLength: 20, maxLength: 60 },
)
/** From a round on, for so many rounds: the link is down, or the machine that hears does nothing. */
const disturbances = fc.array(
  fc.record({
    from: fc.nat(50),
    lasts: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom<('link' | 'stall')[]>('link', 'stall'),
    /** Live samples come before what has gathered. */
    isLiveFirst: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
)
interface Disturbance {
  readonly from: number
  readonly lasts: number
  readonly kind: 'link' | 'stall'
  readonly isLiveFirst: boolean
}
type Rounds = readonly (readonly Sample[])[]

/** Enough for every delay to end. */
const withRest = (given: Rounds): Rounds => [...given, ...Array.from({ length: 30 }, () => [])]

function undisturbed(given: Rounds): Tank {
  const tank = new Tank(ALARMS)
  withRest(given).forEach((samples, n) => {
    tank.now = timeOf(n) + 10
    if (samples.length > 0) tank.edge.onSamples(tank.accept(n, samples))
    tank.edge.onEventTime(tank.now)
  })
  return tank
}

function disturb(given: Rounds, when: readonly Disturbance[]): Tank {
  const tank = new Tank(ALARMS)
  const all = withRest(given)
  let waiting: ReturnType<Tank['accept']>[] = []
  for (const [n, samples] of all.entries()) {
    tank.now = timeOf(n) + 10
    const round = samples.length > 0 ? tank.accept(n, samples) : undefined
    const now = when.find(({ from, lasts }) => n >= from && n < from + lasts && n < given.length)
    if (now) {
      if (n === now.from + 6) tank.edge.onStale(tank.now)
      if (round) waiting.push(round)
      continue
    }
    const before = when.find(({ from, lasts }) => n - 1 >= from && n - 1 < from + lasts)
    if (before) comeBack(tank, before, waiting, round)
    else if (round) tank.edge.onSamples(round)
    if (before) waiting = []
    tank.edge.onEventTime(tank.now)
  }
  return tank
}

/** What was accepted meanwhile comes, in order; after a link that was down as backlog, behind births and a heartbeat. */
function comeBack(tank: Tank, { kind, isLiveFirst }: Disturbance, waiting: Backlog, live: Backlog[number] | undefined) {
  const { edge } = tank
  const sendLive = () => live && edge.onSamples(live)
  if (kind === 'link') {
    tank.reconnect()
    edge.onEventTime(tank.now - 1)
    if (isLiveFirst) sendLive()
  }
  for (const round of waiting) {
    edge.onSamples(round)
    if (kind === 'link') edge.onBacklog(tank.now)
  }
  if (kind === 'stall' || !isLiveFirst) sendLive()
}
type Backlog = readonly ReturnType<Tank['accept']>[]
