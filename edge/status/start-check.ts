import type { DeviceStatus } from '#edge/acquisition/device.ts'
import type { UplinkStatus } from '#edge/uplink/index.ts'
import type { ConfiguredAddress } from '#shared/config/addresses.ts'
import type { Log } from '#shared/log/log.ts'
import type { Trouble } from '#shared/reach/probe.ts'
import { troubleFault } from '#shared/reach/words.ts'

/** Whoever needs longer than this for a first outcome is tried as well. */
const SETTLES_WITHIN_MS = 5000
const LOOK_EVERY_MS = 250

export interface StartCheckOptions {
  /** The addresses of edge.yaml, with their lines. */
  readonly addresses: readonly ConfiguredAddress[]
  readonly devices: () => readonly DeviceStatus[]
  readonly uplink: () => Pick<UplinkStatus, 'state'>
  readonly probe: (addresses: readonly ConfiguredAddress[]) => Promise<readonly Trouble[]>
  readonly log: Log
}

/** The look at the configured addresses after a start. */
export interface StartCheck {
  /** What failed then and does not answer by now either. */
  troubles(): readonly Trouble[]
  stop(): void
}

/**
 * Tells once, all together, which addresses of edge.yaml do not answer. Nothing waits for it: the drivers connect first, and only
 * what they did not reach is tried, because many a PLC has a single connection to give.
 */
export function startCheck(options: StartCheckOptions): StartCheck {
  let found: readonly Trouble[] = []
  let isStopped = false
  let waitedMs = 0
  const look = async () => {
    const open = options.addresses.filter((address) => !isReached(address, options))
    const troubles = open.length === 0 ? [] : await options.probe(open)
    found = isStopped ? [] : troubles
    if (found.length > 0) tell(found, options.log)
  }
  const timer = setInterval(() => {
    waitedMs += LOOK_EVERY_MS
    if (!isSettled(options) && waitedMs < SETTLES_WITHIN_MS) return
    clearInterval(timer)
    void look()
  }, LOOK_EVERY_MS)
  return {
    troubles: () => found.filter(({ address }) => !isReached(address, options)),
    stop: () => {
      isStopped = true
      clearInterval(timer)
    },
  }
}

function isSettled({ devices, uplink }: StartCheckOptions): boolean {
  return uplink().state !== 'connecting' && devices().every(({ state }) => state !== 'connecting')
}

/** Devices stand in the status in the order of the file. */
function isReached({ path: [section, index] }: ConfiguredAddress, { devices, uplink }: StartCheckOptions): boolean {
  if (section === 'mqtt') return uplink().state === 'connected'
  return section === 'devices' && devices()[Number(index)]?.state === 'answers'
}

function tell(troubles: readonly Trouble[], log: Log): void {
  const addresses = troubles.map((trouble) => {
    const { file, line, path, found, fix } = troubleFault(trouble)
    return { at: `${file}:${line}`, path, found, fix }
  })
  log.warn({ addresses }, 'Addresses of the configuration do not answer; they are tried again until they do')
}
