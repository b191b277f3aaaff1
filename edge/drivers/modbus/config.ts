import { type Static, Type } from 'typebox'
import { Host, withAddress } from '#shared/contracts/address.ts'

const closed = { additionalProperties: false } as const

const SerialConfig = Type.Object(
  {
    path: Type.String({ minLength: 1, description: 'Device file of the port, such as /dev/ttyUSB0.' }),
    baud: Type.Integer({ minimum: 300, maximum: 4_000_000, default: 9600, description: 'Bits a second.' }),
    parity: Type.Enum(['none', 'even', 'odd'], { default: 'none', description: 'Parity bit; many devices want even.' }),
    dataBits: Type.Enum([7, 8], { default: 8, description: 'Bits of a character.' }),
    stopBits: Type.Enum([1, 2], { default: 1, description: 'Stop bits.' }),
  },
  closed,
)

const QuirksConfig = Type.Object(
  {
    pauseMs: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 0,
      description: 'Least time between a reply and the next request to this device, in ms.',
    }),
    pauseAfterConnectMs: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      default: 0,
      description: 'Time between opening the link and the first request, in ms.',
    }),
    bitsFromZero: Type.Boolean({
      default: false,
      description: 'Coils and discrete inputs are always read from address 0 on: some devices refuse anything else.',
    }),
  },
  closed,
)

/** How one Modbus device is reached: the `modbus:` part of a device in edge.yaml. */
export const ModbusConfig = withAddress(
  Type.Object(
    {
      host: Type.Optional(Host({ description: 'Name or address of the device or gateway; or `serial`.' })),
      port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502, description: 'TCP port.' }),
      transport: Type.Optional(
        Type.Enum(['tcp', 'rtu-over-tcp'], {
          description:
            'What goes over the connection: tcp unless told; rtu-over-tcp: RTU frames, as simple serial servers carry them.',
        }),
      ),
      inFlight: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 16,
          description:
            'Requests that may be under way on the connection at the same time, 1 unless told; more with tcp only.',
        }),
      ),
      serial: Type.Optional({
        ...SerialConfig,
        description: 'A serial port (RTU) instead of `host`.',
      } as typeof SerialConfig),
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
      quirks: Type.Optional({
        ...QuirksConfig,
        description: 'What this device needs and the standard does not know.',
      } as typeof QuirksConfig),
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

/** A fault of one device's part, or of several together; `index` counts the parts. */
export interface ModbusFault {
  readonly index: number
  readonly key: string
  readonly found: string
  readonly expected: string
  readonly fix: string
  readonly code: string
  readonly params?: Readonly<Record<string, string | number>>
}

/** Rules that a schema cannot say: one place, and one way of speaking, for all devices behind it. */
export function checkModbus(parts: readonly (ModbusConfig | undefined)[]): ModbusFault[] {
  const seen = new Map<string, ModbusConfig>()
  return parts.flatMap((part, index) => {
    if (!part) return []
    const own = checkPlace(part).map((fault) => ({ ...fault, index }))
    const key = linkOf(part)
    const first = seen.get(key) ?? part
    seen.set(key, first)
    const isAlike = first === part || wayOf(first) === wayOf(part)
    return isAlike ? own : [...own, { index, ...unlike(key, first) }]
  })
}

type Fault = Omit<ModbusFault, 'index'>

function checkPlace({ host, serial, transport = 'tcp', inFlight = 1 }: ModbusConfig): Fault[] {
  const faults: Fault[] = []
  if (host === undefined && serial === undefined)
    faults.push({
      ...{ key: '', found: 'neither', expected: '`host` or `serial`', fix: 'write where the device is' },
      code: 'modbus-no-place',
    })
  if (host !== undefined && serial !== undefined)
    faults.push({
      ...{ key: 'serial', found: 'both', expected: '`host` or `serial`', fix: 'remove one of them' },
      code: 'modbus-two-places',
    })
  if (inFlight > 1 && (serial !== undefined || transport !== 'tcp'))
    faults.push({
      key: 'inFlight',
      found: String(inFlight),
      expected: '1: RTU has no transaction number',
      fix: 'write 1',
      code: 'modbus-in-flight',
    })
  return faults
}

/** Names the physical link: all parts with the same name share it. */
export const linkOf = ({ host, port, serial }: ModbusConfig): string => serial?.path ?? `${host}:${port}`

const wayOf = ({ serial, transport = 'tcp', inFlight = 1 }: ModbusConfig) =>
  JSON.stringify(serial ?? [transport, inFlight])

function unlike(link: string, first: ModbusConfig): Fault {
  const expected = `the same settings as the first device behind ${link}`
  const unlikeIn = (key: string, settings: string): Fault => {
    const worded = { code: 'modbus-unlike', params: { link, settings } }
    return { key, found: 'other settings', expected, fix: `write ${settings}`, ...worded }
  }
  if (first.serial) return unlikeIn('serial', `serial: ${JSON.stringify(first.serial)}`)
  return unlikeIn('transport', `transport: ${first.transport ?? 'tcp'}, inFlight: ${first.inFlight ?? 1}`)
}
