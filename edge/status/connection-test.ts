import { AddressError, type AnyDriver, NotConnectedError } from '#edge/drivers/driver.ts'
import type { ConfiguredAddress } from '#shared/config/addresses.ts'
import { endpointText } from '#shared/config/addresses.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { probe, type Trouble } from '#shared/reach/probe.ts'
import type { StatusSources } from './snapshot.ts'
import { faultOf } from './trouble-list.ts'
import { type Language, lossWords, troubleWords } from './words.ts'

/** One step of a test: what was tried, what came of it, and what to do. */
export interface TestStep {
  readonly step: 'name' | 'port' | 'protocol'
  readonly state: 'ok' | 'failed' | 'not-tried'
  readonly found: string
  readonly next?: string
}

/** A question in the protocol may take this long, behind a slow line. */
const ANSWER_WITHIN_MS = 10_000

const SAYS = {
  en: {
    stands: 'The link stands and is used.',
    known: 'The name is known.',
    opens: 'The port can be opened.',
    serial: 'No network address: a serial line.',
    reported: 'The device reports its values.',
    refused: 'The device answers, but refuses',
    waits: 'Not connected yet; it is tried again by itself.',
    acknowledged: 'Connected; the host takes part in the protocol.',
  },
  'zh-CN': {
    stands: '链路已建立，直接使用。',
    known: '名称可以解析。',
    opens: '端口可以打开。',
    serial: '没有网络地址：串行线路。',
    reported: '设备正在上报数值。',
    refused: '设备有应答，但拒绝',
    waits: '尚未连接；会自动重试。',
    acknowledged: '已连接；主机参与协议。',
  },
} as const

/** Tries name, port and protocol of a device, over its link when that stands: many a device has a single connection to give. */
export async function testDevice(sources: StatusSources, device: string, language: Language): Promise<TestStep[]> {
  const index = sources.model.devices.findIndex((one) => one.device === device)
  const address = sources.addresses.find(({ path }) => path[0] === 'devices' && path[1] === index)
  const reach = await reachSteps({ address, isOpen: isLinkOpen(sources, device, address) }, language)
  if (reach.some(({ state }) => state === 'failed')) return [...reach, notTried('protocol')]
  return [...reach, await protocolStep(sources, device, language)]
}

/** The same for the link to the cloud, whose own connection is never disturbed. */
export async function testBroker(sources: StatusSources, language: Language): Promise<TestStep[]> {
  const { state, lastError } = sources.uplink()
  const address = sources.addresses.find(({ path }) => path[0] === 'mqtt')
  const reach = await reachSteps({ address, isOpen: state === 'connected' }, language)
  if (reach.some((step) => step.state === 'failed')) return [...reach, notTried('protocol')]
  if (state === 'connected') return [...reach, { step: 'protocol', state: 'ok', found: SAYS[language].acknowledged }]
  const { next } = lossWords('other', language)
  return [...reach, { step: 'protocol', state: 'failed', found: lastError ?? SAYS[language].waits, next }]
}

const notTried = (step: TestStep['step']): TestStep => ({ step, state: 'not-tried', found: '' })

function isLinkOpen(sources: StatusSources, device: string, address: ConfiguredAddress | undefined): boolean {
  if (sources.devices().some((status) => status.device === device && status.state === 'answers')) return true
  const endpoint = address && endpointText(address.host, address.port)
  return (
    endpoint !== undefined && sources.lanes().some(({ lane, isOpen }) => isOpen && lane.split(' ').includes(endpoint))
  )
}

async function reachSteps(
  { address, isOpen }: { readonly address: ConfiguredAddress | undefined; readonly isOpen: boolean },
  language: Language,
): Promise<TestStep[]> {
  const says = SAYS[language]
  if (!address) return [{ step: 'port', state: 'not-tried', found: says.serial }]
  if (isOpen)
    return [{ step: 'port', state: 'ok', found: `${endpointText(address.host, address.port)}: ${says.stands}` }]
  const [trouble] = await probe([address])
  if (!trouble) return [ok('name', says.known), ok('port', says.opens)]
  const isName = trouble.kind === 'unknown-host' || trouble.kind === 'silent-names'
  return isName
    ? [failed('name', trouble, language), notTried('port')]
    : [ok('name', says.known), failed('port', trouble, language)]
}

const ok = (step: TestStep['step'], found: string): TestStep => ({ step, state: 'ok', found })

function failed(step: TestStep['step'], trouble: Trouble, language: Language): TestStep {
  const { what, next } = troubleWords(trouble.kind, language)
  return { step, state: 'failed', found: `${what} ${faultOf(trouble).found}`, next }
}

async function protocolStep(sources: StatusSources, device: string, language: Language): Promise<TestStep> {
  const status = sources.devices().find((one) => one.device === device)
  const driver = sources.drivers.get(device)
  const profile = sources.profiles.get(status?.profile ?? '')
  if (driver?.readNow && profile) return await askOnce(driver, profile, language)
  if (status?.state === 'answers') return ok('protocol', SAYS[language].reported)
  const { what, next } = lossWords(status?.lossKind ?? 'other', language)
  return { step: 'protocol', state: 'failed', found: `${what} ${status?.error ?? ''}`, next }
}

/** An answer that refuses is an answer: the protocol is spoken. */
async function askOnce(driver: AnyDriver, profile: DeviceProfile, language: Language): Promise<TestStep> {
  const [tag] = profile.tags
  if (!tag || !driver.readNow) return notTried('protocol')
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const { sample } = await driver.readNow(tag.tag, driver.parseAddress(tag), signal)
    const found =
      sample.value === null
        ? `${SAYS[language].refused} ${sample.reason ?? tag.address}`
        : `${tag.tag} = ${sample.value}`
    return ok('protocol', found)
  } catch (error) {
    if (error instanceof AddressError) return { step: 'protocol', state: 'failed', found: error.message }
    if (!(error instanceof NotConnectedError)) throw error
    const { what, next } = lossWords(error.kind, language)
    return { step: 'protocol', state: 'failed', found: `${what} ${error.message}`, next }
  }
}
