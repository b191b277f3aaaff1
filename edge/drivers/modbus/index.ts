import { join } from 'node:path'
import type { DriverDeps, DriverDevice, Protocol, ProtocolDescription } from '../driver.ts'
import { parseModbusAddress } from './address.ts'
import { ModbusConfig } from './config.ts'
import { type ConnectionOptions, openConnection } from './connection.ts'
import { createModbusDriver } from './driver.ts'
import { createHoles } from './holes.ts'
import { createLane, type Lane } from './lane.ts'
import { type LearnedStore, learnedStore } from './learned.ts'

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
  const stores: LearnedStore[] = []
  const laneTo = ({ host, port, connectTimeoutMs }: ModbusConfig): Lane => {
    const key = `${host}:${port}`
    const lane = lanes.get(key) ?? laneOver({ host, port, connectTimeoutMs })
    lanes.set(key, lane)
    return lane
  }
  return {
    createDriver(device: DriverDevice) {
      const { profile } = device
      const settings = device.config as ModbusConfig
      const store = storeOf(device, settings, deps)
      stores.push(store)
      return createModbusDriver({
        lane: laneTo(settings),
        unit: settings.unit,
        timeoutMs: settings.timeoutMs,
        maxGap: settings.maxGap ?? profile.modbus?.maxGap ?? DEFAULT_MAX_GAP,
        maxBlock: settings.maxBlock ?? profile.modbus?.maxBlock ?? DEFAULT_MAX_BLOCK,
        addressing: profile.modbus,
        holes: createHoles({ learned: store.load(), onChange: store.save }),
        now: deps.now,
      })
    },
    lanes: () => [...lanes.values()].map((lane) => lane.status()),
    close: async () => {
      for (const store of stores) store.flush()
    },
  }
}

/** What was learned holds for this device type at this place; another profile, version or address begins anew. */
function storeOf(
  { device, profile }: DriverDevice,
  { host, port, unit }: ModbusConfig,
  deps: DriverDeps,
): LearnedStore {
  const identity = `${profile.profile}@${profile.version} ${host}:${port}/${unit}`
  return learnedStore(join(deps.dataDir, 'modbus', `${device}.json`), identity, deps.log)
}

const laneOver = (options: ConnectionOptions): Lane =>
  createLane({
    name: `modbus ${options.host}:${options.port}`,
    connect: (signal, onStray) => openConnection(options, signal, onStray),
    inFlight: 1,
    now: () => performance.now(),
  })
