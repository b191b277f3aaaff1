import type { Log } from '#shared/log/log.ts'
import type { DriverDeps, Protocol, ProtocolDescription } from '../driver.ts'
import { parseOpcuaAddress } from './address.ts'
import { OpcuaConfig } from './config.ts'
import { createOpcuaDriver } from './driver.ts'
import type { CertificatesUntil } from './messages.ts'
import { createWorkerProcess } from './worker-process.ts'

/** OPC UA by subscription. The library lives in a process of its own, started when the first device connects. */
export const opcua: ProtocolDescription = {
  name: 'opcua',
  schema: OpcuaConfig,
  parseAddress: (tag) => parseOpcuaAddress(tag),
  start: startOpcua,
}

interface Lane {
  readonly isOpen: boolean
  readonly certificatesUntil?: CertificatesUntil | undefined
}

/** A certificate that expires within this time is told with each connection, in ms. */
const EXPIRES_SOON_MS = 30 * 86_400_000

function startOpcua({ log, dataDir, now }: DriverDeps): Protocol {
  const worker = createWorkerProcess({ log, dataDir })
  const lanes = new Map<string, Lane>()
  const pid = () => (worker.pid === undefined ? {} : { pid: worker.pid })
  return {
    createDriver({ device, config: given }) {
      const config = given as OpcuaConfig
      const lane = `opcua ${config.url.replace('opc.tcp://', '')} ${device}`
      lanes.set(lane, { isOpen: false })
      const onOpen = (isOpen: boolean, certificatesUntil = lanes.get(lane)?.certificatesUntil) => {
        lanes.set(lane, { isOpen, certificatesUntil })
        if (isOpen) warnOfExpiry(log.child({ device }), certificatesUntil, now())
      }
      return createOpcuaDriver({ device, config, dataDir, worker, now, onOpen })
    },
    lanes: () => [...lanes].map(([lane, status]) => ({ ...NO_COUNTS, ...laneStatus(lane, status), ...pid() })),
    close: () => worker.stop(),
  }
}

const NO_COUNTS = { requests: 0, timeouts: 0, strayReplies: 0, roundTripMs: 0 }

function laneStatus(lane: string, { isOpen, certificatesUntil }: Lane) {
  return { lane, isOpen, ...(certificatesUntil ? { certificatesUntil } : {}) }
}

function warnOfExpiry(log: Log, certificatesUntil: CertificatesUntil | undefined, now: number): void {
  for (const [of, until] of Object.entries(certificatesUntil ?? {})) {
    if (until - now > EXPIRES_SOON_MS) continue
    log.warn(
      { of, until: new Date(until).toISOString() },
      'OPC UA certificate expires soon; without a new one the device is lost',
    )
  }
}
