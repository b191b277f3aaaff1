import { type Static, Type } from 'typebox'
import { Host, withAddress } from './address.ts'
import { Key, LocalizedText } from './text.ts'

const closed = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 0, maximum: 65_535 })
const Positive = (fallback: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, default: fallback, description })

/** Where a simulated Modbus device answers. Devices with one port share a server and differ in their unit. */
export const ModbusListen = withAddress(
  Type.Object(
    {
      host: Host({ default: '127.0.0.1', description: 'Address to listen on.' }),
      port: Port,
      unit: Type.Integer({ minimum: 1, maximum: 247, description: 'Unit id (slave address).' }),
      latencyMs: Type.Number({
        minimum: 0,
        maximum: 10_000,
        default: 0,
        description: 'Time the device takes to answer.',
      }),
    },
    closed,
  ),
  'listen',
)

/** Where a simulated OPC UA device answers. Devices with one port share a server and differ in their namespaces. */
export const OpcuaListen = withAddress(
  Type.Object(
    {
      host: Host({ default: '127.0.0.1', description: 'Address to listen on.' }),
      port: Port,
    },
    closed,
  ),
  'listen',
)

const Moment = Type.Union([Type.String({ minLength: 1 }), Type.Number()])

/** A stretch of a recording. Times of a recording without a zone are UTC; a number is in the column's own unit. */
export const Clip = Type.Object(
  {
    file: Type.String({ minLength: 1, description: 'CSV file, relative to the folder of recordings.' }),
    from: Type.Optional(Moment),
    to: Type.Optional(Moment),
    speed: Positive(1, 'Seconds of the recording in one second of the plant.'),
    atEnd: Type.Union([Type.Literal('hold'), Type.Literal('loop')], { default: 'loop' }),
  },
  closed,
)
export type Clip = Static<typeof Clip>

/** Tags that are fed from a recording: its columns, and the stretches that a story can play. */
export const Replay = Type.Object(
  {
    time: Type.Object(
      {
        column: Type.String({ minLength: 1 }),
        unit: Type.Union([Type.Literal('datetime'), Type.Literal('minutes'), Type.Literal('seconds')]),
      },
      closed,
    ),
    columns: Type.Record(Key, Type.String({ minLength: 1 })),
    clips: Type.Record(Key, Clip),
    start: Key,
  },
  closed,
)
export type Replay = Static<typeof Replay>

/** What produces the tags that no recording feeds: a simulated machine with physics. */
export const MachineModel = Type.Union([
  Type.Object(
    { model: Type.Literal('compressor'), ratedCurrentA: Positive(140, 'Motor current at full load.') },
    closed,
  ),
  Type.Object({ model: Type.Literal('reactor') }, closed),
  Type.Object(
    {
      model: Type.Literal('laminator'),
      temperatureC: Positive(145, 'Platen setpoint.'),
      cycleSeconds: Positive(300, 'From one load to the next.'),
    },
    closed,
  ),
  Type.Object(
    {
      model: Type.Literal('stringer'),
      cycleSeconds: Positive(3, 'One cell.'),
      stopsPerHour: Positive(4, 'Random stops, as a Poisson process.'),
      meanStopSeconds: Positive(40, 'Mean length of a stop.'),
    },
    closed,
  ),
  Type.Object(
    {
      model: Type.Literal('solar-inverter'),
      ratedKw: Positive(100, 'AC limit.'),
      latitudeDeg: Type.Number({ minimum: -66, maximum: 66, default: 31.2 }),
      startHour: Type.Number({ minimum: 0, maximum: 24, default: 9.5, description: 'Solar time at the start.' }),
      daySpeed: Positive(12, 'Seconds of the sun in one second of the plant.'),
    },
    closed,
  ),
  Type.Object({ model: Type.Literal('energy-meter'), baseLoadKw: Positive(60, 'Lights, air, offices.') }, closed),
  Type.Object({ model: Type.Literal('counters') }, closed),
  Type.Object(
    { model: Type.Literal('pulses'), meanSeconds: Positive(1, 'Mean time between two edges of a tag.') },
    closed,
  ),
])
export type MachineModel = Static<typeof MachineModel>
export type ModelName = MachineModel['model']

/** One simulated device: what it is, where it answers, what feeds its tags. */
export const PlantDevice = Type.Object(
  {
    device: Key,
    profile: Key,
    modbus: Type.Optional(ModbusListen),
    opcua: Type.Optional(OpcuaListen),
    everyMs: Type.Integer({ minimum: 20, maximum: 60_000, default: 200, description: 'How often the machine steps.' }),
    machine: MachineModel,
    replay: Type.Optional(Replay),
  },
  closed,
)
export type PlantDevice = Static<typeof PlantDevice>

export const MACHINE_COMMANDS = ['start', 'stop', 'trip', 'maintenance'] as const
export type MachineCommand = (typeof MACHINE_COMMANDS)[number]

/** What a step does to a device: play another stretch of its recording, command the machine, or both. */
export const StoryAction = Type.Object(
  {
    device: Key,
    play: Type.Optional(Key),
    command: Type.Optional(Type.Enum(MACHINE_COMMANDS)),
  },
  closed,
)

/** One step of a story. It is taken when all of its conditions hold; they are looked at once the step before is done. */
export const StoryStep = Type.Object(
  {
    step: Key,
    afterSeconds: Type.Optional(Type.Number({ minimum: 0, description: 'Since the step before, in plant time.' })),
    when: Type.Optional(
      Type.Object(
        { device: Key, tag: Key, above: Type.Optional(Type.Number()), below: Type.Optional(Type.Number()) },
        closed,
      ),
    ),
    waitFor: Type.Optional(Type.Object({ workOrderDone: Key }, closed)),
    do: Type.Array(StoryAction),
  },
  closed,
)
export type StoryStep = Static<typeof StoryStep>

/** A row of steps. Stories of a plant run side by side. */
export const Story = Type.Object(
  {
    story: Key,
    repeatMinutes: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Starts again so long after its start, once its last step is done.',
      }),
    ),
    steps: Type.Array(StoryStep, { minItems: 1 }),
  },
  closed,
)
export type Story = Static<typeof Story>

/** A simulated plant: its devices, where each answers, what feeds each tag, and what happens to them. Paths are relative to the file. */
export const Plant = Type.Object(
  {
    version: Type.Literal(1),
    plant: Key,
    name: LocalizedText,
    seed: Type.Integer({ minimum: 0, default: 1, description: 'The same seed gives the same values.' }),
    group: Type.Optional(Key),
    edge: Type.Optional(Key),
    profiles: Type.String({ minLength: 1, default: '../profiles' }),
    recordings: Type.String({ minLength: 1, default: '../recordings' }),
    organisation: Type.Optional(
      Type.String({ minLength: 1, description: 'Seed of the organisation that owns the plant.' }),
    ),
    devices: Type.Array(PlantDevice, { minItems: 1 }),
    stories: Type.Array(Story, { default: [] }),
  },
  closed,
)
export type Plant = Static<typeof Plant>
