import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Document, isPair, isScalar, visit } from 'yaml'
import { NotConnectedError, type PolledDriver } from '#edge/drivers/driver.ts'
import {
  discoverSunspec,
  type FoundDevice,
  NotSunspecError,
  type ReadHolding,
} from '#edge/drivers/modbus/sunspec/discover.ts'
import { type MadeProfile, NoTagsError, sunspecProfile } from '#edge/drivers/modbus/sunspec/profile.ts'
import { parseProfile } from '#shared/config/profile.ts'
import { type Command, UsageError } from './command.ts'
import { targetOf, withDevice } from './modbus-target.ts'

const HELP = `usage: andon sunspec HOST[:PORT] [--unit N] [--out FILE] [--all]

Asks a device over Modbus TCP for its SunSpec models and writes a device profile of them: inverters (1, 101 to 103, 111 to
113, 160, 701 to 712, 714), meters (201 to 204, 211 to 214) and batteries (713, 802 to 805). Put the file into the folder of
profiles, and give the device its key in edge.yaml. Nothing is written to the device.

  --unit N      unit (slave) number (default 1; SunSpec devices often have 126, or 3)
  --out FILE    writes the profile there instead of to the terminal
  --all         also points of which the device says that it has not implemented them, and settings that are not in force
  --timeout MS  how long a reply may take (default 3000)`

const OPTIONS = {
  unit: { type: 'string', default: '1' },
  out: { type: 'string' },
  all: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '3000' },
} as const

/** `andon sunspec`: an address becomes a ready device profile. */
export const command: Command = { help: HELP, run }

async function run(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  if (positionals.length !== 1) throw new UsageError('sunspec needs one HOST[:PORT]')
  const target = targetOf(positionals[0], values)
  try {
    const found = await withDevice(target, {}, (driver, signal) => discoverSunspec(reader(driver, signal)))
    return tell(found, sunspecProfile(found, { hasAll: values.all }), values.out)
  } catch (error) {
    const isExpected = [NotConnectedError, NotSunspecError, NoTagsError].some((kind) => error instanceof kind)
    if (!isExpected) throw error
    process.stderr.write(`andon: ${(error as Error).message}\n`)
    return 1
  }
}

/** Registers as they stand, read like a text of that length. */
function reader(driver: PolledDriver<unknown>, signal: AbortSignal): ReadHolding {
  return async (start, count) => {
    const tag = { tag: 'registers', name: { en: 'registers', 'zh-CN': '寄存器' }, address: `holding:${start}` }
    const address = driver.parseAddress({ ...tag, type: 'string', length: count })
    return (await driver.readNow?.('registers', address, signal))?.registers
  }
}

function tell(found: FoundDevice, made: MadeProfile, out: string | undefined): number {
  const text = yamlOf(found, made)
  parseProfile(text, out ?? 'profile')
  if (out === undefined) process.stdout.write(text)
  else writeFileSync(out, text)
  const { profile, leftOut, unknown } = made
  const notes = [
    `${profile.tags.length} tags of ${profile.name.en}${out === undefined ? '' : ` in ${out}`}`,
    ...(leftOut > 0
      ? [
          `${leftOut} points are left out, because the device has not implemented them or they are stored settings; --all takes them in`,
        ]
      : []),
    ...(unknown.length > 0 ? [`no tags are made of the models ${unknown.join(', ')}`] : []),
    ...(found.cutShort === undefined ? [] : [`the list of models ended early: ${found.cutShort}`]),
  ]
  process.stderr.write(`${notes.join('\n')}\n`)
  return 0
}

const FLOW = new Set(['name', 'invalid', 'modbus'])

function yamlOf({ base, models }: FoundDevice, { profile }: MadeProfile): string {
  const document = new Document(profile)
  document.commentBefore = ` Made by 'andon sunspec' from the models ${models.map(({ id }) => id).join(', ')} at ${base}. Scale factors are registers of their own.`
  visit(document, {
    Pair(_, pair) {
      if (isPair(pair) && isScalar(pair.key) && FLOW.has(String(pair.key.value)) && pair.value)
        Object.assign(pair.value, { flow: true })
    },
  })
  return document.toString({ lineWidth: 120 })
}
