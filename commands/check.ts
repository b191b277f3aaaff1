import { parseArgs } from 'node:util'
import { ConfigError, type Fault, renderFaults } from '#shared/config/config-error.ts'
import { inOrder } from '#shared/config/yaml.ts'
import { probe } from '#shared/reach/probe.ts'
import { troubleFault } from '#shared/reach/words.ts'
import { judgeFile, type Verdict } from './check/kinds.ts'
import { type Command, UsageError } from './command.ts'

const HELP = `usage: andon check [--offline] FILE…

Checks Andon files without starting anything: edge, cloud, device profile, plant, organisation. The kind is known by the
keys of the file. Every fault is told with its line, what stands there, what is expected and what to do.

Network addresses are tried from this machine: the name is looked up and a connection opened and closed at once (2 s each),
an address to listen on must belong to this machine. Nothing is sent to a device.

  --offline  leaves that out, for a machine that does not stand in the plant's network

Exits 1 when there is a fault.`

const OPTIONS = { offline: { type: 'boolean', default: false } } as const

/** `andon check`: tells every fault of any Andon file. */
export const command: Command = { help: HELP, run }

async function run(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  if (positionals.length === 0) throw new UsageError('check needs at least one FILE')
  let failed = 0
  for (const file of positionals) {
    const { text, faults } = await judge(file, values.offline)
    process.stdout.write(`${text}\n`)
    if (faults.length > 0) failed++
  }
  return failed === 0 ? 0 : 1
}

async function judge(file: string, isOffline: boolean): Promise<{ text: string; faults: readonly Fault[] }> {
  try {
    const verdict = await judgeFile(file)
    const unreached = isOffline ? [] : (await probe(verdict.addresses)).map(troubleFault)
    const faults = inOrder([...verdict.faults, ...unreached])
    return { text: faults.length > 0 ? renderFaults(faults) : `${file}: ${praise(verdict, isOffline)}`, faults }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { text: renderFaults(error.faults), faults: error.faults }
  }
}

function praise({ kind, addresses }: Verdict, isOffline: boolean): string {
  if (addresses.length === 0) return `good (${kind})`
  const count = addresses.length === 1 ? '1 address' : `${addresses.length} addresses`
  return isOffline ? `good (${kind}; ${count} not tried)` : `good (${kind}; ${count} tried)`
}
