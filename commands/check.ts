import { parseArgs } from 'node:util'
import { ConfigError, type Fault, renderFaults } from '#shared/config/config-error.ts'
import { checkFile } from './check/kinds.ts'
import { type Command, UsageError } from './command.ts'

const HELP = `usage: andon check FILE…

Checks Andon files without starting anything: edge, cloud, device profile, plant, organisation. The kind is known by the
keys of the file. Every fault is told with its line, what stands there, what is expected and what to do.
Exits 1 when there is a fault.`

/** `andon check`: tells every fault of any Andon file. */
export const command: Command = { help: HELP, run }

async function run(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true })
  if (positionals.length === 0) throw new UsageError('check needs at least one FILE')
  let failed = 0
  for (const file of positionals) {
    const { text, faults } = await judge(file)
    process.stdout.write(`${text}\n`)
    if (faults.length > 0) failed++
  }
  return failed === 0 ? 0 : 1
}

async function judge(file: string): Promise<{ text: string; faults: readonly Fault[] }> {
  try {
    return { text: `${file}: good (${await checkFile(file)})`, faults: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { text: renderFaults(error.faults), faults: error.faults }
  }
}
