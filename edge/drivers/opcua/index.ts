import type { DriverDeps, Protocol, ProtocolDescription } from '../driver.ts'
import { parseOpcuaAddress } from './address.ts'
import { OpcuaConfig } from './config.ts'
import { createOpcuaDriver } from './driver.ts'
import { createWorkerProcess } from './worker-process.ts'

/** OPC UA by subscription. The library lives in a process of its own, started when the first device connects. */
export const opcua: ProtocolDescription = {
  name: 'opcua',
  schema: OpcuaConfig,
  parseAddress: (tag) => parseOpcuaAddress(tag),
  start: startOpcua,
}

function startOpcua({ log, dataDir, now }: DriverDeps): Protocol {
  const worker = createWorkerProcess(log)
  const open = new Map<string, boolean>()
  const process = () => (worker.pid === undefined ? {} : { pid: worker.pid })
  return {
    createDriver({ device, config }) {
      const settings = config as OpcuaConfig
      const lane = `opcua ${settings.url.replace('opc.tcp://', '')} ${device}`
      open.set(lane, false)
      return createOpcuaDriver({
        device,
        config: settings,
        dataDir,
        worker,
        now,
        onOpen: (isOpen) => open.set(lane, isOpen),
      })
    },
    lanes: () =>
      [...open].map(([lane, isOpen]) => ({
        lane,
        isOpen,
        requests: 0,
        timeouts: 0,
        strayReplies: 0,
        roundTripMs: 0,
        ...process(),
      })),
    close: () => worker.stop(),
  }
}
