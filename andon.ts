#!/usr/bin/env node
/** The one command. Each sub-command lives in `commands/` and is loaded only when it is asked for. */
import { enableCompileCache } from 'node:module'
import { type Command, isUsageFault, UsageError, usageOf } from './commands/command.ts'
import { asCalled, hasModule } from './shared/own-files/own-files.ts'

const COMMANDS: Record<string, { summary: string; load: () => Promise<{ command: Command }> }> = {
  bench: { summary: 'run a benchmark', load: () => import('./commands/bench.ts') },
  demo: { summary: 'simulated plant, edge and cloud in one terminal', load: () => import('./commands/demo.ts') },
  edge: { summary: 'the agent on a box beside the machines', load: () => import('./commands/edge.ts') },
  cloud: { summary: 'the cloud service', load: () => import('./commands/cloud.ts') },
  devices: { summary: 'simulated devices of a plant', load: () => import('./commands/devices.ts') },
  read: {
    summary: 'one address of a Modbus device, and what its registers may mean',
    load: () => import('./commands/read.ts'),
  },
  sunspec: {
    summary: 'a device profile from what a SunSpec device tells of itself',
    load: () => import('./commands/sunspec.ts'),
  },
  user: { summary: 'accounts from the shell', load: () => import('./commands/user.ts') },
  check: { summary: 'faults of any Andon file', load: () => import('./commands/check.ts') },
}

// Compiled code is kept between starts: a second start is faster and does without the 20 MB of the type stripper.
enableCompileCache()

/** An image of the edge or the cloud holds the commands of its own alone. */
const isHere = (name: string) => hasModule(`commands/${name}.ts`)

function usage(): string {
  const here = Object.entries(COMMANDS).filter(([name]) => isHere(name))
  const lines = here.map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  return asCalled(
    `usage: andon COMMAND [options]\n\n${lines.join('\n')}\n\nandon COMMAND --help tells a command's options.\n`,
  )
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(usage())
    return name === undefined ? 2 : 0
  }
  const entry = COMMANDS[name]
  if (!entry) throw new UsageError(`there is no command '${name}'`)
  if (!isHere(name)) throw new UsageError(`'${name}' is not part of this installation; a full checkout of Andon has it`)
  const { command } = await entry.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${asCalled(command.help)}\n`)
    return 0
  }
  howToCall = asCalled(`${usageOf(command)}\n\nandon ${name} --help tells its options.\n`)
  return command.run(rest)
}

/** What is shown when the call is wrong: of one command once it is known, else of all. */
let howToCall = usage()

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = isUsageFault(error)
  process.stderr.write(`andon: ${error instanceof Error ? error.message : String(error)}\n`)
  if (isUsage) process.stderr.write(howToCall)
  process.exitCode = isUsage ? 2 : 1
}
