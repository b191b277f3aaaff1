import { describe, expect, it } from 'vitest'
import { canScaleOut } from '../bench/chaos/world.ts'
import { bench } from '../bench/chaos.ts'

const ROUNDS = 10
if (!canScaleOut()) {
  process.stdout.write(
    'skipped: kills of the scale-out set-up (Debian packages mosquitto, victoria-metrics, redis-server)\n',
  )
}

describe('ten kills of random processes at random moments', () => {
  it('leave history, alarm log and pages equal to the ledger', async () => {
    const said: string[] = []
    const say = (line: string) => void said.push(line)
    const result = await bench.run({ seconds: bench.seconds, rounds: ROUNDS, say }).catch((cause: unknown) => {
      throw new Error(said.join('\n'), { cause })
    })
    const nothing = { lost: 0, duplicated: 0, wrong: 0, alarmsMissing: 0, alarmsTwice: 0, alarmsWrong: 0 }
    expect(result, said.join('\n')).toMatchObject({ ...nothing, pagesMissed: 0, pagesTwice: 0, crashLoops: 0 })
    expect(result.rounds).toBe(ROUNDS)
    expect(result.compared).toBeGreaterThan(20_000)
    expect(result.alarms).toBeGreaterThan(200)
    expect(result.pages).toBeGreaterThan(5)
  }, 400_000)
})
