import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadEdgeConfig } from '#edge/config.ts'
import { NotConnectedError, WriteError } from '#edge/drivers/driver.ts'
import type { Browsed } from '#edge/drivers/opcua/browse.ts'
import { BROWSE_DEFAULTS, discover } from '#edge/drivers/opcua/discover.ts'
import { profileYaml } from '#edge/drivers/opcua/discovery.ts'
import { numberOption, UsageError } from '../command.ts'

const OPTIONS = {
  config: { type: 'string' },
  device: { type: 'string' },
  from: { type: 'string', default: BROWSE_DEFAULTS.from },
  depth: { type: 'string' },
  most: { type: 'string' },
  profile: { type: 'string', default: 'browsed' },
  out: { type: 'string' },
} as const

/** Browses the OPC UA server of a device of edge.yaml into a device profile. Resolves with the exit code. */
export async function browse(args: readonly string[]): Promise<number> {
  const given = parseArgs({ args: [...args], options: OPTIONS }).values
  const { config: file, device } = given
  if (file === undefined || device === undefined)
    throw new UsageError('andon edge browse needs --config FILE and --device NAME')
  const { data, devices } = loadEdgeConfig(file)
  const config = devices.find((one) => one.device === device)?.opcua
  if (!config) throw new UsageError(`${file} has no device '${device}' with 'opcua:'`)
  const options = {
    from: given.from,
    maxDepth: given.depth === undefined ? BROWSE_DEFAULTS.maxDepth : numberOption('depth', given.depth),
    maxTags: given.most === undefined ? BROWSE_DEFAULTS.maxTags : numberOption('most', given.most),
  }
  try {
    const signal = new AbortController().signal
    const dataDir = resolve(dirname(file), data)
    const found = await discover({ config, dataDir, options, signal })
    return tell(
      found,
      profileYaml(found.tags, { profile: given.profile, name: device, assetClass: 'machine' }),
      given.out,
    )
  } catch (error) {
    if (!(error instanceof NotConnectedError || error instanceof WriteError)) throw error
    process.stderr.write(`andon edge browse: ${error.message}\n`)
    return 1
  }
}

function tell({ tags, skipped, isCut }: Browsed, yaml: string, out: string | undefined): number {
  const cut = isCut ? '; there is more: see --from, --depth and --most' : ''
  process.stderr.write(`${tags.length} tags, ${skipped} variables left out that hold no single value${cut}\n`)
  if (tags.length === 0) return 1
  if (out === undefined) process.stdout.write(yaml)
  else writeFileSync(out, yaml, { flag: 'wx' })
  return 0
}
