import { join } from 'node:path'
import type { DriverDeps, DriverDevice, Protocol, ProtocolDescription } from '../driver.ts'
import { parseModbusAddress } from './address.ts'
import { linkOf, ModbusConfig } from './config.ts'
import { openConnection } from './connection.ts'
import { createModbusDriver, sharedPlanning } from './driver.ts'
import { createHoles } from './holes.ts'
import { createLane, type Lane, type LaneOptions } from './lane.ts'
import { type LearnedStore, learnedStore } from './learned.ts'
import { openRtuOverTcp } from './rtu-over-tcp.ts'
import { openSerial, type SerialOptions } from './serial.ts'

const DEFAULT_MAX_GAP = 16
const DEFAULT_MAX_BLOCK = 125

/** Modbus over TCP, RTU over TCP, and RTU on a serial port. */
export const modbus: ProtocolDescription = {
  name: 'modbus',
  schema: ModbusConfig,
  parseAddress: (tag, profile) => parseModbusAddress(tag, profile.modbus),
  start: startModbus,
}

function startModbus(deps: DriverDeps): Protocol {
  const lanes = new Map<string, Lane>()
  const stores: LearnedStore[] = []
  const shared = sharedPlanning()
  const laneTo = (settings: ModbusConfig): Lane => {
    const lane = lanes.get(linkOf(settings)) ?? laneOver(settings)
    lanes.set(linkOf(settings), lane)
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
        shared,
        pauseMs: settings.quirks?.pauseMs ?? 0,
        bitsFromZero: settings.quirks?.bitsFromZero ?? false,
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
function storeOf({ device, profile }: DriverDevice, settings: ModbusConfig, deps: DriverDeps): LearnedStore {
  const identity = `${profile.profile}@${profile.version} ${linkOf(settings)}/${settings.unit}`
  return learnedStore(join(deps.dataDir, 'modbus', `${device}.json`), identity, deps.log)
}

const laneOver = (settings: ModbusConfig): Lane =>
  createLane({
    name: `modbus ${linkOf(settings)}`,
    connect: connector(settings),
    inFlight: settings.inFlight ?? 1,
    // RTU gives no sign of it: what comes after a time-out is thrown away unread.
    hearsLate: settings.serial === undefined && settings.transport !== 'rtu-over-tcp',
    pauseAfterConnectMs: settings.quirks?.pauseAfterConnectMs ?? 0,
    now: () => performance.now(),
  })

function connector({ host, port, connectTimeoutMs, transport, serial }: ModbusConfig): LaneOptions['connect'] {
  if (serial) return serialConnector(serial)
  const options = { host: host ?? '', port, connectTimeoutMs }
  const open = transport === 'rtu-over-tcp' ? openRtuOverTcp : openConnection
  return (signal, onStray) => open(options, signal, onStray)
}

/** Opens the port when the one before has let go of it. */
function serialConnector(serial: SerialOptions): LaneOptions['connect'] {
  let released: Promise<void> | undefined
  return async (_, onStray) => {
    await released
    const connection = await openSerial(serial, onStray)
    released = connection.released
    return connection
  }
}
