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
    address: Type.String({
      minLength: 1,
      description:
        'Modbus `holding:100`, `input:3`, `coil:0`, `discrete:5`, `holding:12.3` (bit); OPC UA `nsu=urn:…;s=…` or `ns=2;s=…`.',
    }),
    type: Type.Enum(REGISTER_TYPES, { description: 'As it stands in the device.' }),
    publish: Type.Optional(
      Type.Enum(SCALAR_TYPES, {
        description: "As it is published: double when scaled, else the type's own, unless told.",
      }),
    ),
    wordOrder: Type.Optional(
      Type.Enum(WORD_ORDERS, { description: 'Order of the bytes, A the most significant; else that of the profile.' }),
    ),
    length: Type.Optional(Type.Integer({ minimum: 1, maximum: 125, description: 'Registers of a `string`.' })),
    scale: Type.Optional(Type.Number({ description: 'Value = raw × scale + offset; 1 unless told.' })),
    offset: Type.Optional(Type.Number({ description: 'Added after scaling; 0 unless told.' })),
    scaleFactor: Type.Optional(
      Type.String({ description: 'SunSpec: address of the register that holds the power of ten.' }),
    ),
    invalid: Type.Optional(
      Type.Array(Type.Number(), { description: 'Raw values that mean "not implemented": published as bad.' }),
    ),
    unit: Type.Optional(Type.String({ description: 'As people read it: `bar`, `°C`.' })),
    decimals: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: 'Places that people are shown.' })),
    range: Type.Optional(
      Type.Tuple([Type.Number(), Type.Number()], { description: 'Lowest and highest value that makes sense.' }),
    ),
    scan: Type.Optional(Type.Enum(SCAN_CLASSES, { description: 'How often it is read; `normal` unless told.' })),
    deadband: Type.Optional(
      Type.Union(
        [
          Type.Object({ absolute: Type.Number({ minimum: 0 }) }, closed),
          Type.Object({ percent: Type.Number({ minimum: 0, maximum: 100 }) }, closed),
        ],
        { description: 'A change no greater than this is not reported: in units, or in percent of `range`.' },
      ),
    ),
    words: Type.Optional(
      Type.Record(Type.String(), LocalizedText, {
        description: 'Words for the values of a code, by the value as text.',
      }),
    ),
    retention: Type.Optional({
      ...Key,
      description: 'Retention class of history, a name under `history.retention` of cloud.yaml; `default` unless told.',
    } as typeof Key),
    writable: Type.Optional(Type.Boolean({ description: 'May be written; read-only unless told.' })),
  },
  closed,
)
export type ProfileTag = Static<typeof ProfileTag>

/** A device type as data: what it has, how to read it, what its alarms are. One YAML file in `devices/profiles/`. */
export const DeviceProfile = Type.Object(
  {
    profile: { ...Key, description: 'Its key, which devices refer to.' } as typeof Key,
    version: Type.Integer({ minimum: 1, description: 'Rises with each change.' }),
    name: LocalizedText,
    vendor: Type.Optional(Type.String()),
    assetClass: { ...Key, description: 'The kind of asset it stands for.' } as typeof Key,
    protocol: Type.Enum(['modbus', 'opcua']),
    modbus: Type.Optional(
      Type.Object(
        {
          wordOrder: Type.Optional(Type.Enum(WORD_ORDERS, { description: 'Of all tags that say no other; `ABCD`.' })),
          addressBase: Type.Optional(
            Type.Union([Type.Literal(0), Type.Literal(1)], {
              description: "Number of the manual's first register; 0.",
            }),
          ),
          maxGap: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 124, description: 'Unused registers that may be read along.' }),
          ),
          maxBlock: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 125, description: 'Most registers in one read.' }),
          ),
        },
        closed,
      ),
    ),
    machineState: Type.Optional(
      Type.Object(
        { tag: Key, states: Type.Record(Type.String(), MachineState) },
        { ...closed, description: 'The tag that says what the machine does, its values mapped to machine states.' },
      ),
    ),
    tags: Type.Array(ProfileTag, { minItems: 1 }),
    alarms: Type.Optional(Type.Array(AlarmDefinition)),
  },
  closed,
)
export type DeviceProfile = Static<typeof DeviceProfile>
