import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** Where a simulated device listens, as `andon devices` tells it. */
export interface DeviceEndpoint {
  readonly device: string
  readonly profile: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
  readonly opcua?: { readonly url: string }
}

export interface EdgeDocument {
  readonly data: string
  readonly profiles: string
  readonly group: string
  readonly edge: string
  readonly mqttPort: number
  readonly endpoints: readonly DeviceEndpoint[]
}

/** The edge's configuration for the simulated plant, as an engineer would write it. */
export function edgeDocument(input: EdgeDocument): object {
  return {
    version: 1,
    group: input.group,
    edge: input.edge,
    data: input.data,
    profiles: input.profiles,
    mqtt: { url: `mqtt://127.0.0.1:${input.mqttPort}`, username: `${input.group}/${input.edge}` },
    devices: input.endpoints.map(deviceEntry),
  }
}

function deviceEntry({ device, profile, modbus, opcua }: DeviceEndpoint): object {
  if (modbus) return { device, profile, modbus: { host: modbus.host, port: modbus.port, unit: modbus.unit } }
  // The simulator's certificate is made on this machine a moment ago: nobody else could have trusted it before.
  return { device, profile, opcua: { url: opcua?.url, security: 'Basic256Sha256', trust: 'accept-first' } }
}

/** Writes a document as YAML, readable by its owner alone. */
export function writeDocument(dir: string, name: string, document: object): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, name)
  writeFileSync(file, stringify(document), { mode: 0o600 })
  return file
}
