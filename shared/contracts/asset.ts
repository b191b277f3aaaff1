import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { MachineState } from './machine-state.ts'
import { PersonRef } from './person.ts'
import { Priority } from './priority.ts'
import { LocalizedText } from './text.ts'

/** ISA-95 levels of the asset tree. */
export const ASSET_KINDS = ['enterprise', 'site', 'area', 'work-center', 'work-unit', 'equipment-module'] as const
export const AssetKind = Type.Enum(ASSET_KINDS)
export type AssetKind = (typeof ASSET_KINDS)[number]

/** An asset as a path shows it. */
export const AssetRef = Type.Object({ id: Id, code: Type.String(), name: LocalizedText })
export type AssetRef = Static<typeof AssetRef>

export const Asset = Type.Object({
  id: Id,
  parentId: nullable(Id),
  code: Type.String(),
  name: LocalizedText,
  kind: AssetKind,
  assetClass: nullable(Type.String()),
  criticality: nullable(Type.Union([Type.Literal('A'), Type.Literal('B'), Type.Literal('C')])),
  position: Type.Integer(),
  /** From the root down, without the asset itself. */
  path: Type.Array(AssetRef),
  owner: nullable(PersonRef),
  device: nullable(Type.Object({ group: Type.String(), edge: Type.String(), device: Type.String() })),
  state: Type.Object({ state: MachineState, since: nullable(Instant) }),
  /** Worst priority among annunciated alarms here and below. */
  worstPriority: nullable(Priority),
  activeAlarmCount: Type.Integer(),
  openIncidentCount: Type.Integer(),
})
export type Asset = Static<typeof Asset>
