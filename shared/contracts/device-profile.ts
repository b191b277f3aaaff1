import { type Static, Type } from 'typebox'
import { AlarmDefinition } from './alarm-definition.ts'
import { MachineState } from './machine-state.ts'
import { SCALAR_TYPES } from './sample.ts'
import { Key, LocalizedText } from './text.ts'

const closed = { additionalProperties: false } as const

export const SCAN_CLASSES = ['fast', 'normal', 'slow'] as const

/** Register types of Modbus devices. Width in registers: 16-bit 1, 32-bit 2, 64-bit 4; `string(n)` takes n registers. */
export const REGISTER_TYPES = [
  'bit',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'string',
] as const

export const WORD_ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const

/** One signal of the device. `address` is in the driver's own notation and checked by the driver. */
export const ProfileTag = Type.Object(
  {
    tag: Key,
    name: LocalizedText,
    /** Modbus `holding:100`, `input:3`, `coil:0`, `discrete:5`, `holding:12.3` (bit); OPC UA `nsu=urn:…;s=…` or `ns=2;s=…`. */
    address: Type.String({ minLength: 1 }),
    /** As it stands in the device. */
    type: Type.Enum(REGISTER_TYPES),
    /** As it is published; default: double when scaled, else the type's own. */
    publish: Type.Optional(Type.Enum(SCALAR_TYPES)),
    wordOrder: Type.Optional(Type.Enum(WORD_ORDERS)),
    /** Registers of a `string`. */
    length: Type.Optional(Type.Integer({ minimum: 1, maximum: 125 })),
    scale: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    /** SunSpec: address of the register that holds the power of ten. */
    scaleFactor: Type.Optional(Type.String()),
    /** Raw values that mean "not implemented": published as bad. */
    invalid: Type.Optional(Type.Array(Type.Number())),
    unit: Type.Optional(Type.String()),
    decimals: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
    range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    scan: Type.Optional(Type.Enum(SCAN_CLASSES)),
    /** A change no greater than this is not reported: in units, or in percent of `range`. */
    deadband: Type.Optional(
      Type.Union([
        Type.Object({ absolute: Type.Number({ minimum: 0 }) }, closed),
        Type.Object({ percent: Type.Number({ minimum: 0, maximum: 100 }) }, closed),
      ]),
    ),
    /** Words for the values of a coded tag, keyed by the value as text. */
    words: Type.Optional(Type.Record(Type.String(), LocalizedText)),
    writable: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type ProfileTag = Static<typeof ProfileTag>

/** A device type as data: what it has, how to read it, what its alarms are. One YAML file in `devices/profiles/`. */
export const DeviceProfile = Type.Object(
  {
    profile: Key,
    version: Type.Integer({ minimum: 1 }),
    name: LocalizedText,
    vendor: Type.Optional(Type.String()),
    assetClass: Key,
    protocol: Type.Union([Type.Literal('modbus'), Type.Literal('opcua')]),
    modbus: Type.Optional(
      Type.Object(
        {
          wordOrder: Type.Optional(Type.Enum(WORD_ORDERS)),
          addressBase: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)])),
          maxGap: Type.Optional(Type.Integer({ minimum: 0, maximum: 124 })),
          maxBlock: Type.Optional(Type.Integer({ minimum: 1, maximum: 125 })),
        },
        closed,
      ),
    ),
    /** The tag that says what the machine does; its values mapped to machine states, keyed by the value as text. */
    machineState: Type.Optional(Type.Object({ tag: Key, states: Type.Record(Type.String(), MachineState) }, closed)),
    tags: Type.Array(ProfileTag, { minItems: 1 }),
    alarms: Type.Optional(Type.Array(AlarmDefinition)),
  },
  closed,
)
export type DeviceProfile = Static<typeof DeviceProfile>
