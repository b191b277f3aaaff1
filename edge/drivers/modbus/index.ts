import type { DriverDeps, DriverDevice, Protocol, ProtocolDescription } from '../driver.ts'
import { parseModbusAddress } from './address.ts'
import { ModbusConfig } from './config.ts'
import { type ConnectionOptions, openConnection } from './connection.ts'
import { createModbusDriver } from './driver.ts'
import { createLane, type Lane } from './lane.ts'

const DEFAULT_MAX_GAP = 16
const DEFAULT_MAX_BLOCK = 125

/** Modbus TCP. */
export const modbus: ProtocolDescription = {
  name: 'modbus',
  schema: ModbusConfig,
  parseAddress: (tag, profile) => parseModbusAddress(tag, profile.modbus),
  start: startModbus,
}

function startModbus(deps: DriverDeps): Protocol {
  const lanes = new Map<string, Lane>()
  const laneTo = ({ host, port, connectTimeoutMs }: ModbusConfig): Lane => {
    const key = `${host}:${port}`
    const lane = lanes.get(key) ?? laneOver({ host, port, connectTimeoutMs })
    lanes.set(key, lane)
    return lane
  }
  return {
    createDriver({ config, profile }: DriverDevice) {
      const settings = config as ModbusConfig
      return createModbusDriver({
        lane: laneTo(settings),
        unit: settings.unit,
        timeoutMs: settings.timeoutMs,
        maxGap: settings.maxGap ?? profile.modbus?.maxGap ?? DEFAULT_MAX_GAP,
        maxBlock: settings.maxBlock ?? profile.modbus?.maxBlock ?? DEFAULT_MAX_BLOCK,
        addressing: profile.modbus,
        now: deps.now,
      })
    },
    lanes: () => [...lanes.values()].map((lane) => lane.status()),
    close: async () => undefined,
  }
}

const laneOver = (options: ConnectionOptions): Lane =>
  createLane({
    name: `modbus ${options.host}:${options.port}`,
    connect: (signal) => openConnection(options, signal),
    inFlight: 1,
    now: () => performance.now(),
  })
