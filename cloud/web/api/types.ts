import type { Static } from 'typebox'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { HistoryGap as HistoryGapSchema } from '#shared/contracts/history.ts'
import type * as incident from '#shared/contracts/incident.ts'
import type { IncidentSummary } from '#shared/contracts/incident.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { PersonRef } from '#shared/contracts/person.ts'
import type { RetroState as RetroStateSchema, RetroSummary as RetroSummarySchema } from '#shared/contracts/retro.ts'
import type { WireValue } from '#shared/contracts/tag.ts'

export type RetroSummary = Static<typeof RetroSummarySchema>
export type RetroState = Static<typeof RetroStateSchema>
export type HistoryGap = Static<typeof HistoryGapSchema>
export type IncidentClock = Static<typeof incident.Clock>
export type ActionOffer = Static<typeof incident.ActionOffer>
export type Definition = AlarmDefinition

/** `GET /api/assets/:id/states` */
export interface StateSpan {
  readonly state: MachineState
  readonly from: string
  readonly to: string | null
}

/** `GET /api/pages/:id` */
export interface CallPage {
  readonly id: string
  readonly incident: IncidentSummary
  readonly person: PersonRef
  readonly pagedAt: string
  readonly seenAt: string | null
  readonly acceptedAt: string | null
  readonly arrivedAt?: string | null
  readonly declinedAt?: string | null
  readonly etaMinutes?: number | null
  readonly value?: WireValue
  readonly unit?: string | null
  readonly setpoint?: number | null
}

/** `GET /api/schedules` */
export interface Schedule {
  readonly id: string
  readonly name: { readonly en: string; readonly 'zh-CN': string } | string
  readonly trade: string | null
  readonly now: PersonRef | null
  readonly until: string | null
  readonly backup: PersonRef | null
}
