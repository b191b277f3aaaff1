import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { readDemoConfig } from './demo/config.ts'
import { clearData, runDemo } from './demo/run.ts'
import { say } from './demo/terminal.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `andon demo`: simulated plant, edge and cloud in one terminal. */
export const command: Command = {
  help: `usage: andon demo [--data DIR] [--plant FILE] [--speed N] [--fresh] [--ledger FILE]

Runs a simulated plant, an edge agent and the cloud with its embedded services, and tells where to look.

  --data DIR     where state is kept (ANDON_DATA, else .andon/ in the checkout)
  --plant FILE   the simulated plant (devices/plants/module-factory.yaml)
  --speed N      how fast recordings and scenarios run (1)
  --fresh        forget what an earlier run kept
  --ledger FILE  let the plant write down every value it serves

Ctrl-C stops everything; the next start goes on where this one stopped.`,

  run: (args) =>
    new Promise((resolve) => {
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
      if (values.fresh) clearData(config.data)
      say(`starting the plant, the cloud and the edge; state and logs are kept in ${config.data}`)
      let isEnding = false
      const end = (code: number) => {
        if (isEnding) return
        isEnding = true
        demo.stop().then(() => resolve(code))
      }
      const demo = runDemo({
        root,
        config,
        say,
        ledger: values.ledger,
        fail: (reason) => {
          process.stderr.write(`andon demo: ${reason}\n`)
          end(1)
        },
      })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => {
          if (!isEnding) say('stopping; nothing is lost')
          end(0)
        })
      }
    }),
}
