type Environment = Readonly<Record<string, string | undefined>>

export interface DevicesEnvironment {
  /** Go before the lowest port of the plant file; 0 picks free ones. */
  readonly modbusPort?: number
  readonly opcuaPort?: number
  /** Where the OPC UA simulator keeps its certificates, unless --data says otherwise. */
  readonly dataDir: string
}

/** Reads ANDON_MODBUS_PORT, ANDON_OPCUA_PORT and ANDON_DATA. Throws when a port is none. */
export function devicesEnvironment(env: Environment = process.env): DevicesEnvironment {
  const modbusPort = portOf(env, 'ANDON_MODBUS_PORT')
  const opcuaPort = portOf(env, 'ANDON_OPCUA_PORT')
  return {
    dataDir: `${env.ANDON_DATA ?? '.andon'}/devices`,
    ...(modbusPort !== undefined && { modbusPort }),
    ...(opcuaPort !== undefined && { opcuaPort }),
  }
}

function portOf(env: Environment, name: string): number | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${name} is '${text}': write a port from 0 to 65535, 0 for a free one`)
  }
  return port
}
