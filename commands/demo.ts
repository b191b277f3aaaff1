import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { type DemoConfig, readDemoConfig } from './demo/config.ts'
import { earlierPartsEnded } from './demo/family.ts'
import { clearData, familyFile, runDemo } from './demo/run.ts'
import { say } from './demo/terminal.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `andon demo`: simulated plant, edge and cloud in one terminal. */
export const command: Command = {
  help: `usage: andon demo [--data DIR] [--plant FILE] [--speed N] [--fresh] [--ledger FILE]

Runs a simulated plant, an edge agent and the cloud with its embedded services, and tells where to look.

  --data DIR     where state is kept (ANDON_DATA, else .andon/ in the checkout)
  --plant FILE   the simulated plant (devices/plants/module-factory.yaml)
  --speed N      how fast recordings and scenarios run (1), at most 1000
  --fresh        forget what an earlier run kept
  --ledger FILE  let the plant write down every value it serves

Ctrl-C stops everything; the next start goes on where this one stopped.`,

  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        plant: { type: 'string' },
        speed: { type: 'string' },
        ledger: { type: 'string' },
        fresh: { type: 'boolean', default: false },
      },
    })
    const config = readDemoConfig(values, root)
    await earlierPartsEnded(familyFile(config.data), () => say('waiting for parts of an earlier run to end'))
    if (values.fresh) clearData(config.data)
    return untilEnded(config, values.ledger)
  },
}

/** Runs the demo until a signal or a part that cannot start ends it. Resolves with the exit code. */
function untilEnded(config: DemoConfig, ledger: string | undefined): Promise<number> {
  return new Promise((resolve) => {
    let isEnding = false
    const end = (code: number) => {
      if (isEnding) return
      isEnding = true
      demo.stop().then(() => resolve(code))
    }
    const fail = (reason: string) => {
      process.stderr.write(`andon demo: ${reason}\n`)
      end(1)
    }
    // Before the first child: from then on a signal has somebody to stop.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (!isEnding) say('stopping; nothing is lost')
        end(0)
      })
    }
    say(`starting the plant, the cloud and the edge; state and logs are kept in ${config.data}`)
    const demo = runDemo({ root, config, say, ledger, fail })
  })
}
