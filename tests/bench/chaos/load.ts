import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './generator.ts'
import type { Accepted, ChaosLoad } from './plan.ts'
import { SECRET } from './world.ts'

type Progress = Extract<Report, { type: 'progress' }>

/** How edges came back. Times in ms since 1970. */
export interface CaughtUp {
  /** When the last of them was born anew; undefined when none had to be. */
  readonly bornAt: number | undefined
}

/** The generator at work. */
export interface RunningLoad {
  readonly load: ChaosLoad
  /** Resolves when of every edge something is acknowledged that is accepted from now on. Rejects when that takes too long. */
  caughtUp(what: string, patienceMs: number): Promise<CaughtUp>
  /** Ends the load; resolves with the ledger when everything in it is acknowledged. */
  drain(patienceMs: number): Promise<readonly Accepted[]>
  last(): Progress | undefined
  close(): void
}

/** Starts the generator against a broker. */
export function startLoad(load: ChaosLoad, port: number): RunningLoad {
  const generator = fork(fileURLToPath(new URL('generator.ts', import.meta.url)))
  const order = (one: Order) => void generator.send(one)
  let last: Progress | undefined
  generator.on('message', (report: Report) => {
    if (report.type === 'progress') last = report
  })
  const until = <T>(what: string, patienceMs: number, hear: (report: Report) => T | undefined) =>
    new Promise<T>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        generator.off('message', listen)
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`Not within ${patienceMs / 1000} s: ${what}. The generator said last ${JSON.stringify(last)}`))
      }, patienceMs)
      const listen = (report: Report) => {
        const found = hear(report)
        if (found === undefined) return
        done()
        resolve(found)
      }
      generator.on('message', listen)
    })
  order({ type: 'open', load, port, secret: SECRET })
  return {
    load,
    async caughtUp(what, patienceMs) {
      const accepted = await until('a word of the generator', patienceMs, (report) =>
        report.type === 'progress' ? report.accepted : undefined,
      )
      const isThere = ({ acknowledged }: Progress) =>
        acknowledged.length > 0 && acknowledged.every((rounds, edge) => rounds > (accepted[edge] ?? 0))
      let [wasBorn, bornAt] = [true, undefined as number | undefined]
      return until(what, patienceMs, (report) => {
        if (report.type !== 'progress') return undefined
        if (report.isBorn && !wasBorn) bornAt = Date.now()
        wasBorn = report.isBorn
        return isThere(report) ? { bornAt } : undefined
      })
    },
    drain(patienceMs) {
      order({ type: 'drain' })
      return until('everything acknowledged', patienceMs, (report) =>
        report.type === 'drained' ? report.ledger : undefined,
      )
    },
    last: () => last,
    close: () => generator.disconnect(),
  }
}
