import { type TestReadRequest, testRead } from '#edge/acquisition/test-read.ts'
import { AddressError, NotConnectedError } from '#edge/drivers/driver.ts'
import { interpretRegisters } from '#edge/drivers/modbus/interpret.ts'
import { discoverSunspec, NotSunspecError, type ReadHolding } from '#edge/drivers/modbus/sunspec/discover.ts'
import { NoTagsError, sunspecProfile } from '#edge/drivers/modbus/sunspec/profile.ts'
import { REGISTER_TYPES, WIDE_WORD_ORDERS, WORD_ORDERS } from '#shared/contracts/device-profile.ts'
import type { Html } from './html.ts'
import { type Answer, type Ask, plain, RequestError } from './http.ts'
import { wordsIn } from './page-words.ts'
import { type Page, type Route, sheet } from './route.ts'
import { deviceStatus, deviceView } from './views/devices.ts'
import { byteOrderView, faultPart, readingPart } from './views/read-tools.ts'
import { sunspecPart } from './views/sunspec.ts'

/** What a person reads of a device outside of its scans, over its lane; and what registers may mean. */
export const readRoutes: readonly Route[] = [
  { method: 'POST', path: '/devices/:device/test-read', rule: 'action', handle: readOnce },
  { method: 'POST', path: '/devices/:device/sunspec', rule: 'action', handle: probeSunspec },
  { method: 'GET', path: '/tools/byte-order', rule: 'reader', handle: byteOrder },
]

/** A slow line with other requests under way still answers within this. */
const READ_WITHIN_MS = 10_000
/** A device with many models is read model by model. */
const DISCOVER_WITHIN_MS = 60_000

async function readOnce(ask: Ask, { sources, traces }: Page): Promise<Answer> {
  const { device } = deviceStatus(sources, ask.params.device ?? '')
  const show = (read: Html) => sheet(ask, sources, device, deviceView(sources, traces, ask, { read }))
  const driver = sources.drivers.get(device)
  if (!driver) return plain(404, `This edge has no device ${device}.`)
  try {
    return show(readingPart(await testRead(driver, requestOf(ask), AbortSignal.timeout(READ_WITHIN_MS)), ask))
  } catch (error) {
    if (error instanceof AddressError || error instanceof RequestError) return show(faultPart(error.message))
    throw error
  }
}

/** @throws RequestError for a field that is no number. */
function requestOf({ form }: Ask): TestReadRequest {
  const orders = [...WORD_ORDERS, ...WIDE_WORD_ORDERS]
  const wordOrder = orders.find((order) => order === form.get('order'))
  const type = REGISTER_TYPES.find((one) => one === form.get('type')) ?? 'uint16'
  return {
    ...{ address: form.get('address')?.trim() ?? '', type },
    // The standard's own order is left out, so that it means the same for every width.
    ...(wordOrder === undefined || wordOrder === 'ABCD' ? {} : { wordOrder }),
    ...numberField(form, 'length'),
    ...numberField(form, 'scale'),
    ...numberField(form, 'offset'),
  }
}

function numberField(form: Ask['form'], name: 'length' | 'scale' | 'offset'): Partial<TestReadRequest> {
  const text = form.get(name)?.trim()
  if (!text) return {}
  const value = Number(text)
  const isGood = name === 'length' ? Number.isInteger(value) && value >= 1 && value <= 125 : Number.isFinite(value)
  if (!isGood) throw new RequestError(400, `${name}: '${text}' is no number that can be used here.`)
  return { [name]: value }
}

async function probeSunspec(ask: Ask, { sources, traces }: Page): Promise<Answer> {
  const { device } = deviceStatus(sources, ask.params.device ?? '')
  const driver = sources.drivers.get(device)
  const show = (sunspec: Html) => sheet(ask, sources, device, deviceView(sources, traces, ask, { sunspec }))
  if (!driver?.readNow) return plain(409, 'This protocol has no registers.')
  const signal = AbortSignal.timeout(DISCOVER_WITHIN_MS)
  const read: ReadHolding = async (start, count) => {
    const tag = { tag: 'registers', name: { en: 'registers', 'zh-CN': '寄存器' } }
    const base = sources.profiles.get(deviceStatus(sources, device).profile)?.modbus?.addressBase ?? 0
    const address = driver.parseAddress({ ...tag, address: `holding:${start + base}`, type: 'string', length: count })
    return (await driver.readNow?.('registers', address, signal))?.registers
  }
  try {
    const found = await discoverSunspec(read)
    return show(sunspecPart(found, sunspecProfile(found), ask))
  } catch (error) {
    const isExpected = [NotConnectedError, NotSunspecError, NoTagsError, AddressError].some(
      (kind) => error instanceof kind,
    )
    if (!isExpected) throw error
    return show(faultPart((error as Error).message))
  }
}

/** One to eight registers: 64 bits are four, a text may be longer. */
const REGISTERS = /^\s*[0-9a-f]{4}(?:[\s,]+[0-9a-f]{4}){0,7}\s*$/i

function byteOrder(ask: Ask, { sources }: Page): Answer {
  const words = wordsIn(ask.language)
  const text = ask.query.get('registers')
  const shows = ask.query.get('shows')?.trim().replace(',', '.') || undefined
  const show = (...[meanings, fault]: [Parameters<typeof byteOrderView>[1], string?]) =>
    sheet(ask, sources, words.tools, byteOrderView(ask, meanings, fault))
  if (text === null) return show(undefined)
  if (!REGISTERS.test(text)) return show(undefined, words.registersWrong)
  if (shows !== undefined && !Number.isFinite(Number(shows))) return show(undefined, words.showsWrong)
  const registers = text
    .trim()
    .split(/[\s,]+/)
    .map((register) => Number.parseInt(register, 16))
  return show(interpretRegisters(registers, shows === undefined ? {} : { shows: Number(shows) }))
}
