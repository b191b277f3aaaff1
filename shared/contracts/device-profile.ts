import { type Static, Type } from 'typebox'
import { AlarmDefinition } from './alarm-definition.ts'
import { MachineState } from './machine-state.ts'
import { SCALAR_TYPES } from './sample.ts'
import { Key, LocalizedText } from './text.ts'

/** Digits that no number of JavaScript can hold exactly. */
const WHOLE_NUMBER = '^-?\\d+$'
const closed = { additionalProperties: false } as const

export const SCAN_CLASSES = ['fast', 'normal', 'slow'] as const

/** Register types of Modbus devices, each with its width in registers; 0: a string takes as many as `length` says. */
export const REGISTER_WIDTHS = {
  bit: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float16: 1,
  float32: 2,
  float64: 4,
  bcd16: 1,
  bcd32: 2,
  string: 0,
} as const
export const REGISTER_TYPES = Object.keys(REGISTER_WIDTHS) as (keyof typeof REGISTER_WIDTHS)[]

/** Lowest and highest raw value of the types that hold whole numbers. */
export const INTEGER_BOUNDS: Readonly<Partial<Record<keyof typeof REGISTER_WIDTHS, readonly [bigint, bigint]>>> = {
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bcd16: [0n, 9999n],
  bcd32: [0n, 99_999_999n],
}

/** Orders of the bytes on the wire, A the most significant. For 64 bits they swap all four words, or the bytes in each, or both. */
export const WORD_ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
/** Every way in which devices swap bytes in words, words in double words and the two double words. */
export const WIDE_WORD_ORDERS = [
  'ABCDEFGH',
  'EFGHABCD',
  'CDABGHEF',
  'GHEFCDAB',
  'BADCFEHG',
  'FEHGBADC',
  'DCBAHGFE',
  'HGFEDCBA',
] as const

/** How the characters of a text lie in a register. */
export const PACKINGS = ['high-low', 'low-high', 'high', 'low'] as const

const WriteRules = Type.Object(
  {
    min: Type.Optional(Type.Number({ description: 'Lowest value, as published; else the lower end of `range`.' })),
    max: Type.Optional(Type.Number({ description: 'Highest value; else the upper end of `range`.' })),
    step: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Values must be `min` (or 0) plus a multiple of it.' }),
    ),
    values: Type.Optional(
      Type.Array(Type.Union([Type.Number(), Type.String()]), { minItems: 1, description: 'Nothing but these.' }),
    ),
    everySeconds: Type.Optional(
      Type.Number({ minimum: 0, maximum: 86_400, description: 'Shortest time between two writes; 1 unless told.' }),
    ),
    expected: Type.Optional(
      Type.Enum(['optional', 'required'], {
        description: '`required`: a command must say what it believes to be there now; `optional` unless told.',
      }),
    ),
    readBack: Type.Optional(
      Type.Enum(['value', 'none'], {
        description: '`none`: a command register that clears itself, not read afterwards; `value` unless told.',
      }),
    ),
    tolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'How far the value read back may lie from the one written; 0 (its nearest raw value) unless told.',
      }),
    ),
    settleSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 5,
        description: 'How long the device may take to show the new value; 1 unless told.',
      }),
    ),
  },
  { ...closed, description: 'What may be written, with `writable: true`.' },
)

const Quirks = Type.Object(
  {
    registerWrites: Type.Optional(
      Type.Enum(['auto', 'multiple', 'single'], {
        description:
          '`auto`: function 6 for one register, 16 for more; `multiple`: always 16; `single`: always 6, one register after the other.',
      }),
    ),
    coilWrites: Type.Optional(
      Type.Enum(['single', 'multiple'], { description: '`single`: function 5; `multiple`: always 15.' }),
    ),
    bitWrites: Type.Optional(
      Type.Enum(['mask', 'read-modify-write'], {
        description:
          'A bit of a register. `mask`: function 22, else refused; `read-modify-write`: only where nobody else writes the register.',
      }),
    ),
  },
  { ...closed, description: 'What this device does otherwise than the standard says.' },
)

const SwingingDoor = Type.Optional(Type.Boolean({ description: 'Report the corners of the signal rather than steps.' }))

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
      Type.Enum([...WORD_ORDERS, ...WIDE_WORD_ORDERS], {
        description: 'Order of the bytes, A the most significant, eight letters for 64 bits; else that of the profile.',
      }),
    ),
    length: Type.Optional(Type.Integer({ minimum: 1, maximum: 125, description: 'Registers of a `string`.' })),
    packing: Type.Optional(
      Type.Enum([...PACKINGS], {
        description:
          'Characters of a `string` in a register: `high-low` two, first in the upper byte; `low-high` the other way; `high`, `low` one in that byte. Follows the byte order unless told.',
      }),
    ),
    scale: Type.Optional(Type.Number({ description: 'Value = raw × scale + offset; 1 unless told.' })),
    offset: Type.Optional(Type.Number({ description: 'Added after scaling; 0 unless told.' })),
    clamp: Type.Optional(
      Type.Tuple([Type.Number(), Type.Number()], {
        description: 'A scaled value beyond these two is published as the nearer one.',
      }),
    ),
    scaleFactor: Type.Optional(
      Type.String({ description: 'SunSpec: address of the register that holds the power of ten.' }),
    ),
    invalid: Type.Optional(
      Type.Array(Type.Union([Type.Number(), Type.String({ pattern: WHOLE_NUMBER })]), {
        description: 'Raw values that mean "not implemented": published as bad. Beyond 2^53 in quotes.',
      }),
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
          Type.Object({ absolute: Type.Number({ minimum: 0 }), swingingDoor: SwingingDoor }, closed),
          Type.Object({ percent: Type.Number({ minimum: 0, maximum: 100 }), swingingDoor: SwingingDoor }, closed),
        ],
        {
          description:
            'A change no greater than this is not reported: in units, or in percent of `range`. With `swingingDoor: true` the corners of the signal are reported: a line between them is nowhere further off than this.',
        },
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
    write: Type.Optional(WriteRules),
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
          wordOrder: Type.Optional(
            Type.Enum([...WORD_ORDERS], { description: 'Of all tags that say no other; `ABCD`.' }),
          ),
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
          forbidden: Type.Optional(
            Type.Array(Type.String(), {
              description:
                'Ranges such as `holding:200-299` or `coil:7` that are never read, not even along with others; numbered as addresses are.',
            }),
          ),
          firmware: Type.Optional({
            ...Key,
            description:
              'Tag that tells the firmware: when its value changes, refused registers that were learned are forgotten.',
          } as typeof Key),
          quirks: Type.Optional(Quirks),
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
