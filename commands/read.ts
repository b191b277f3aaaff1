import { parseArgs } from 'node:util'
import { type TestReading, testRead } from '#edge/acquisition/test-read.ts'
import { AddressError, NotConnectedError, type PolledDriver } from '#edge/drivers/driver.ts'
import { type Interpretation, interpretRegisters } from '#edge/drivers/modbus/interpret.ts'
import { type ProfileTag, REGISTER_TYPES, WIDE_WORD_ORDERS, WORD_ORDERS } from '#shared/contracts/device-profile.ts'
import { type Command, numberOption, UsageError } from './command.ts'
import { targetOf, withDevice } from './modbus-target.ts'

const HELP = `usage: andon read HOST[:PORT] ADDRESS [--unit N] [--type TYPE] [--order ORDER] [--length N] [--scale X] [--offset X]
       andon read HOST[:PORT] ADDRESS [--unit N] [--count N] [--shows VALUE]

Reads one address of a Modbus TCP device, once. With --type it tells the registers and the value; without, it reads some
registers and tells what they mean in every type and byte order, the most plausible first.

  ADDRESS        holding:100, input:3, coil:0, discrete:5 or holding:12.3, as in a device profile
  --unit N       unit (slave) number (default 1)
  --base 0|1     number of the manual's first register (default 0)
  --type TYPE    ${REGISTER_TYPES.join(' ')}
  --order ORDER  order of the bytes, as ABCD (default), CDAB, BADC, DCBA; eight letters for 64 bits
  --length N     registers of a string
  --scale X      value = raw × scale + offset
  --offset X
  --count N      registers to look at without --type (default 2)
  --shows VALUE  what the device's own display shows: finds type, order and scale
  --timeout MS   how long a reply may take (default 2000)
  --json         one JSON object

Exits 1 when there is no good value.`

const OPTIONS = {
  unit: { type: 'string', default: '1' },
  base: { type: 'string', default: '0' },
  type: { type: 'string' },
  order: { type: 'string' },
  length: { type: 'string' },
  scale: { type: 'string' },
  offset: { type: 'string' },
  count: { type: 'string', default: '2' },
  shows: { type: 'string' },
  timeout: { type: 'string', default: '2000' },
  json: { type: 'boolean', default: false },
} as const

/** `andon read`: one address, and what its registers may mean. */
export const command: Command = { help: HELP, run }

async function run(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  const [place, address, ...more] = positionals
  if (address === undefined || more.length > 0) throw new UsageError('read needs HOST[:PORT] and one ADDRESS')
  const target = targetOf(place, values)
  const addressBase = values.base === '1' ? 1 : 0
  const use = values.type === undefined ? guess(address, values) : readTyped(address, values)
  try {
    return await withDevice(target, { addressBase }, use)
  } catch (error) {
    if (error instanceof AddressError) throw new UsageError(error.message)
    if (!(error instanceof NotConnectedError)) throw error
    process.stderr.write(`andon: ${error.message}\n`)
    return 1
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']
type Use = (driver: PolledDriver<unknown>, signal: AbortSignal) => Promise<number>

function readTyped(address: string, values: Values): Use {
  const type = oneOf('type', values.type, REGISTER_TYPES)
  const order = oneOf('order', values.order, [...WORD_ORDERS, ...WIDE_WORD_ORDERS])
  const request = {
    ...{ address, type: type ?? 'uint16' },
    ...(order && { wordOrder: order }),
    ...given('length', values.length),
    ...given('scale', values.scale),
    ...given('offset', values.offset),
  }
  return async (driver, signal) => {
    const reading = await testRead(driver, request, signal)
    process.stdout.write(values.json ? `${JSON.stringify(reading, digits)}\n` : `${readingText(reading)}\n`)
    return reading.value === null ? 1 : 0
  }
}

function guess(address: string, { count, shows, json }: Values): Use {
  const length = numberOption('count', count, 125)
  const options = shows === undefined ? {} : { shows: finite('shows', shows) }
  const isBit = /^(coil|discrete):|\./.test(address)
  return async (driver, signal) => {
    const request = isBit ? { address, type: 'bit' as const } : { address, type: 'string' as const, length }
    const reading = await testRead(driver, request, signal)
    if (reading.registers === undefined) return tellNothing(reading)
    const meanings = isBit ? [] : interpretRegisters(reading.registers, options)
    const { registers } = reading
    process.stdout.write(json ? `${JSON.stringify({ registers, meanings }, digits)}\n` : tableOf(registers, meanings))
    return 0
  }
}

function tellNothing({ reason }: TestReading): number {
  process.stderr.write(`andon: ${reason ?? 'no value'}\n`)
  return 1
}

const digits = (_: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : Number.isNaN(value) ? null : value

const hex = (registers: readonly number[]) => registers.map((r) => r.toString(16).padStart(4, '0')).join(' ')

function readingText({ value, raw, exponent, registers, reason }: TestReading): string {
  const lines = registers === undefined ? [] : [`registers  ${hex(registers)}`]
  if (raw !== null) lines.push(`raw        ${raw}${exponent === undefined ? '' : ` × 10^${exponent}`}`)
  lines.push(value === null ? `no value   ${reason ?? ''}` : `value      ${value}`)
  return lines.join('\n')
}

/** The likely ones; what cannot be meant is left out. */
function tableOf(registers: readonly number[], meanings: readonly Interpretation[]): string {
  const lines = meanings
    .filter(({ plausibility }) => plausibility > 0)
    .map(({ type, wordOrder, packing, value, scale, isMostPlausible }) => {
      const scaled = scale === 1 ? '' : `  × ${scale} = ${Number((Number(value) * scale).toPrecision(9))}`
      const text = typeof value === 'string' ? `'${value}'` : String(value)
      return `${isMostPlausible ? '→' : ' '} ${type.padEnd(8)} ${(wordOrder ?? packing ?? '').padEnd(9)} ${text}${scaled}`
    })
  return `registers ${hex(registers)}\n${lines.length > 0 ? lines.join('\n') : 'Nothing that these registers may mean comes near.'}\n`
}

function oneOf<T extends string>(name: string, text: string | undefined, known: readonly T[]): T | undefined {
  if (text === undefined) return undefined
  const found = known.find((one) => one === text)
  if (!found) throw new UsageError(`--${name} is one of ${known.join(', ')}, not '${text}'`)
  return found
}

function given(name: 'length' | 'scale' | 'offset', text: string | undefined): Partial<ProfileTag> {
  return text === undefined ? {} : { [name]: finite(name, text) }
}

function finite(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`--${name} wants a number, not '${text}'`)
  return value
}
