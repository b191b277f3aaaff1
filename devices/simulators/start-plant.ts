import { join } from 'node:path'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { PlantDevice } from '#shared/contracts/plant.ts'
import type { Log } from '#shared/log/log.ts'
import type { LoadedPlant } from '../load-plant.ts'
import type { Ledger } from './ledger.ts'
import { groupByPort, listenAll, type PortGroup } from './listen.ts'
import type { PduEvents } from './modbus-pdu.ts'
import { type ModbusServer, serveModbus } from './modbus-server.ts'
import { type Answered, createUnit, type ModbusUnit } from './modbus-unit.ts'
import type { OnSent } from './opcua-sent.ts'
import { type OpcuaSimulator, serveOpcua } from './opcua-server.ts'
import { type Change, type PlantRun, runPlant } from './plant-run.ts'
import { toEngineering } from './register-codec.ts'

/** Where a simulated device answers. */
export interface Endpoint {
  readonly device: string
  readonly profile: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
  readonly opcua?: { readonly url: string }
}

export interface PlantOptions {
  readonly loaded: LoadedPlant
  /** Go before the lowest ports of the plant file; 0 picks free ones. */
  readonly ports?: { readonly modbusPort?: number; readonly opcuaPort?: number }
  /** Certificates of the OPC UA server are kept here. */
  readonly dataDir: string
  readonly speed: number
  readonly ledger?: Ledger
  readonly log: Log
  /** ms since 1970; fractions are welcome. */
  readonly now: () => number
}

export interface RunningPlant {
  readonly endpoints: readonly Endpoint[]
  /** A work order on this device is done; releases the story step that waits for it. */
  workOrderDone(device: string): void
  close(): Promise<void>
}

/** Starts every device of a plant on its port and sets it in motion. Rejects with PortTakenError, and leaves nothing open. */
export async function startPlant(options: PlantOptions): Promise<RunningPlant> {
  const { loaded, log, now, ledger } = options
  const run = runPlant({ ...loaded, startedAt: now(), speed: options.speed })
  const advance = () => recorded(run.advance(now()), ledger)
  // Every device knows its values before anybody can ask for them.
  const { served, closeAll } = await openServers(options, run, advance())
  const tick = () => {
    for (const change of advance()) served.get(change.device)?.serve(change)
  }
  const timer = setInterval(tick, Math.max(10, Math.min(...run.devices.map((d) => d.everyMs)) / 2))
  log.info({ devices: served.size }, 'Plant running')
  return {
    endpoints: loaded.plant.devices.flatMap((d) => served.get(d.device)?.endpoint ?? []),
    workOrderDone(device) {
      log.info({ device, waitingFor: run.waitingFor() }, 'Work order done')
      run.workOrderDone(device)
    },
    async close() {
      clearInterval(timer)
      await closeAll()
      ledger?.close()
    },
  }
}

/** Writes changes to the ledger first: a value is on its way to the disk before any client can see it. */
function recorded(changes: readonly Change[], ledger: Ledger | undefined): readonly Change[] {
  for (const { device, tag, value, at } of changes) ledger?.add({ kind: 'served', device, tag: tag.tag, value, at })
  ledger?.flush()
  return changes
}

async function openServers(options: PlantOptions, run: PlantRun, initial: readonly Change[]) {
  const opcua = await openOpcuaPorts(options, run, initial)
  const closeOpcua = () => Promise.all(opcua.map((o) => o.server.close()))
  const modbus = await openModbusPorts(options, run, initial).catch(async (error) => {
    await closeOpcua()
    throw error
  })
  const served = [...modbus.flatMap(modbusDevices), ...opcua.flatMap(opcuaDevices)]
  return {
    served: new Map(served.map((s) => [s.endpoint.device, s])),
    closeAll: () => Promise.all([closeOpcua(), ...modbus.map((m) => m.server.close())]),
  }
}

type Listening<K extends 'modbus' | 'opcua'> = PlantDevice & { readonly [P in K]: NonNullable<PlantDevice[P]> }

const isModbus = (d: PlantDevice): d is Listening<'modbus'> => d.modbus !== undefined
const isOpcua = (d: PlantDevice): d is Listening<'opcua'> => d.opcua !== undefined

type ModbusPort = ModbusServer & { readonly units: ReadonlyMap<number, ModbusUnit> }

function openModbusPorts(options: PlantOptions, run: PlantRun, initial: readonly Change[]) {
  const groups = groupByPort(options.loaded.plant.devices.filter(isModbus), (d) => d.modbus)
  const ports = { first: options.ports?.modbusPort, setting: 'ANDON_MODBUS_PORT' }
  return listenAll(groups, ports, async ({ host, devices }, port): Promise<ModbusPort> => {
    const units = new Map(devices.map((d) => [d.modbus.unit, unitOf(d, options, run)]))
    const names = new Map(devices.map((d) => [d.modbus.unit, d.device]))
    for (const d of devices) fill(units.get(d.modbus.unit), d.device, initial)
    const events = (id: number): PduEvents => ({
      onRead(area, start, count) {
        if (options.ledger) recordAnswers(options, units.get(id)?.answered(area, start, count, options.now()) ?? [])
      },
      onWrite(tags) {
        for (const { tag, value } of tags) run.write(names.get(id) ?? '', tag, value)
      },
    })
    return { ...(await serveModbus({ host, port, units, events })), units }
  })
}

function fill(unit: ModbusUnit | undefined, device: string, initial: readonly Change[]): void {
  for (const c of initial) if (c.device === device) unit?.set(c.tag.tag, c.raw, c.value, c.at)
}

function recordAnswers({ ledger }: PlantOptions, answers: readonly Answered[]): void {
  for (const answer of answers) ledger?.add({ kind: 'answered', ...answer })
}

function unitOf(device: Listening<'modbus'>, { loaded }: PlantOptions, run: PlantRun): ModbusUnit {
  return createUnit({
    device: device.device,
    profile: profileOf(loaded, device),
    latencyMs: device.modbus.latencyMs,
    registers: run.devices.find((d) => d.name === device.device)?.machine.registers ?? {},
  })
}

function profileOf({ profiles }: LoadedPlant, { device, profile }: PlantDevice): DeviceProfile {
  const found = profiles.get(profile)
  if (!found) throw new Error(`${device}: there is no profile ${profile}`)
  return found
}

/** A device behind its server: where it answers, and how it takes the values that it serves from now on. */
interface ServedDevice {
  readonly endpoint: Endpoint
  readonly serve: (change: Change) => void
}

function modbusDevices({
  group,
  server,
}: {
  group: PortGroup<Listening<'modbus'>>
  server: ModbusPort
}): ServedDevice[] {
  return group.devices.map(({ device, profile, modbus }) => ({
    endpoint: { device, profile, modbus: { host: modbus.host, port: server.port, unit: modbus.unit } },
    serve: (c) => server.units.get(modbus.unit)?.set(c.tag.tag, c.raw, c.value, c.at),
  }))
}

function openOpcuaPorts(options: PlantOptions, run: PlantRun, initial: readonly Change[]) {
  const groups = groupByPort(options.loaded.plant.devices.filter(isOpcua), (d) => d.opcua)
  const ports = { first: options.ports?.opcuaPort, setting: 'ANDON_OPCUA_PORT' }
  return listenAll(groups, ports, ({ host, devices, port: planned }, port) =>
    serveOpcua({
      host,
      port,
      dataDir: join(options.dataDir, `opcua-${planned}`),
      devices: devices.map((d) => ({ device: d.device, profile: profileOf(options.loaded, d) })),
      initial: initial.map((c) => ({ device: c.device, tag: c.tag.tag, raw: c.raw, at: c.at })),
      onWrite: (device, tag, value) => run.write(device, tag, value),
      ...(options.ledger && { onSent: recordSent(options, options.ledger) }),
    }),
  )
}

/** An OPC UA server answers by notification: the line is the same as that of a Modbus answer. */
function recordSent({ now }: PlantOptions, ledger: Ledger): OnSent {
  return (device, tag, { raw, at }) =>
    ledger.add({
      kind: 'answered',
      device,
      tag: tag.tag,
      value: toEngineering(tag, raw, 1),
      at,
      answeredAt: now(),
    })
}

function opcuaDevices({
  group,
  server,
}: {
  group: PortGroup<Listening<'opcua'>>
  server: OpcuaSimulator
}): ServedDevice[] {
  return group.devices.map(({ device, profile }) => ({
    endpoint: { device, profile, opcua: { url: server.url } },
    serve: (c) => server.set(device, c.tag.tag, c.raw, c.at),
  }))
}
