import { type Static, Type } from 'typebox'
import { Host, withAddress } from '#shared/contracts/address.ts'

const closed = { additionalProperties: false } as const

/** How one Modbus TCP device is reached: the `modbus:` part of a device in edge.yaml. */
export const ModbusConfig = withAddress(
  Type.Object(
    {
      host: Host({ description: 'Name or address of the device or gateway.' }),
      port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502, description: 'TCP port.' }),
      unit: Type.Integer({
        minimum: 0,
        maximum: 255,
        default: 1,
        description: 'Unit (slave) number behind that address.',
      }),
      timeoutMs: Type.Integer({
        minimum: 50,
        maximum: 60_000,
        default: 1000,
        description: 'How long a reply may take, in ms.',
      }),
      connectTimeoutMs: Type.Integer({
        minimum: 50,
        maximum: 60_000,
        default: 3000,
        description: 'How long connecting may take, in ms.',
      }),
      maxGap: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 124,
          description: 'Unwanted registers read along to save a request. Else what the profile says, else 16.',
        }),
      ),
      maxBlock: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 125,
          description: 'Most registers that one request reads. Else what the profile says, else 125.',
        }),
      ),
    },
    closed,
  ),
  'connect',
)
export type ModbusConfig = Static<typeof ModbusConfig>
