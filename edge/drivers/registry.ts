import type { ProtocolDescription } from './driver.ts'
import { modbus } from './modbus/index.ts'
import { opcua } from './opcua/index.ts'

/** Every protocol that this edge speaks. A new driver is one folder and one line here. */
export const PROTOCOLS: readonly ProtocolDescription[] = [modbus, opcua]
