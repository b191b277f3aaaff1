import type { Plant, PlantDevice } from '#shared/contracts/plant.ts'
import type { Endpoint } from './simulators/start-plant.ts'

/** A device as edge.yaml writes it. */
export interface EdgeDeviceEntry {
  readonly device: string
  readonly profile: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
  readonly opcua?: { readonly url: string }
}

/** The device list of the edge.yaml that reads a plant. Endpoints that are running go before the plant's own ports. */
export function edgeDevices(plant: Plant, endpoints: readonly Endpoint[] = []): EdgeDeviceEntry[] {
  const running = new Map(endpoints.map((e) => [e.device, e]))
  return plant.devices.map((device) => running.get(device.device) ?? planned(device))
}

function planned({ device, profile, modbus, opcua }: PlantDevice): EdgeDeviceEntry {
  return {
    device,
    profile,
    ...(modbus && { modbus: { host: modbus.host, port: modbus.port, unit: modbus.unit } }),
    ...(opcua && { opcua: { url: `opc.tcp://${opcua.host}:${opcua.port}` } }),
  }
}
