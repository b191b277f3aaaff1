import { type Static, Type } from 'typebox'
import { ASSET_KINDS } from './asset.ts'
import { Role } from './person.ts'
import { Trade } from './priority.ts'
import { Key, LocalizedText } from './text.ts'

const closed = { additionalProperties: false } as const
const Reference = Type.Object({ group: Key, edge: Key, device: Key }, closed)

/** A department; `parent` names one that stands above it in the file. */
export const SeedDepartment = Type.Object({ department: Key, name: LocalizedText, parent: Type.Optional(Key) }, closed)
export type SeedDepartment = Static<typeof SeedDepartment>

/** A person; with `account` one who signs in under that name. */
export const SeedPerson = Type.Object(
  {
    person: Key,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    account: Type.Optional(Type.String({ pattern: '^[a-z0-9._-]+$', maxLength: 64 })),
    title: Type.Optional(Type.String({ maxLength: 100 })),
    department: Key,
    roles: Type.Array(Role),
    trades: Type.Optional(Type.Array(Trade)),
    skills: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }))),
  },
  closed,
)
export type SeedPerson = Static<typeof SeedPerson>

/** An asset of the ISA-95 tree; `parent` names one that stands above it in the file. */
export const SeedAsset = Type.Object(
  {
    asset: Type.String({ pattern: '^[A-Za-z0-9-]+$', maxLength: 64 }),
    name: LocalizedText,
    kind: Type.Enum(ASSET_KINDS),
    parent: Type.Optional(Type.String()),
    assetClass: Type.Optional(Key),
    criticality: Type.Optional(Type.Union([Type.Literal('A'), Type.Literal('B'), Type.Literal('C')])),
    owner: Type.Optional(Key),
    /** The device on the wire that speaks for this asset. */
    device: Type.Optional(Reference),
  },
  closed,
)
export type SeedAsset = Static<typeof SeedAsset>

/** One trade's duty: people take turns of `turnHours`, the first from the start of the day on which the file is imported. */
export const SeedSchedule = Type.Object(
  {
    schedule: Key,
    name: LocalizedText,
    trade: Trade,
    timeZone: Type.String({ minLength: 1 }),
    turnHours: Type.Number({ minimum: 1, maximum: 1440 }),
    primary: Type.Array(Key, { minItems: 1 }),
    backup: Type.Optional(Type.Array(Key, { minItems: 1 })),
    /** Who is called when nobody is on duty: everyone with this role. */
    fallback: Role,
    escalateAfterMinutes: Type.Integer({ minimum: 1, maximum: 1440 }),
  },
  closed,
)
export type SeedSchedule = Static<typeof SeedSchedule>

/** An organisation as a file: people, departments, assets, duty and edges. Imported at start; what exists already is left alone. */
export const OrganisationSeed = Type.Object(
  {
    version: Type.Literal(1),
    organisation: Type.Object({ key: Key, name: LocalizedText, timeZone: Type.String({ minLength: 1 }) }, closed),
    edges: Type.Array(Type.Object({ group: Key, edge: Key, name: Type.String({ minLength: 1 }) }, closed)),
    departments: Type.Array(SeedDepartment, { minItems: 1 }),
    people: Type.Array(SeedPerson, { minItems: 1 }),
    assets: Type.Array(SeedAsset, { minItems: 1 }),
    schedules: Type.Array(SeedSchedule),
  },
  closed,
)
export type OrganisationSeed = Static<typeof OrganisationSeed>
