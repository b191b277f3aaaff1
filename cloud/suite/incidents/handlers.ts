import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { systemActor } from '#cloud/platform/door/actor.ts'
import type { EventHandler, OutboxEvent } from '#cloud/platform/outbox/event.ts'
import { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { Id, nullable } from '#shared/contracts/http.ts'
import { MachineState } from '#shared/contracts/machine-state.ts'
import type { IncidentCommands } from './commands.ts'
import type { IncidentDeps } from './deps.ts'
import { incidentStore } from './store.ts'

const StateChanged = Type.Object({
  group: Type.String(),
  edge: Type.String(),
  device: Type.String(),
  state: MachineState,
  at: Type.Number(),
})

/** What incidents hear: alarms, machine states, pages that an escalation sent, approved retros. */
export function incidentHandlers(deps: IncidentDeps, commands: IncidentCommands): EventHandler[] {
  return [
    {
      name: 'incidents.machine',
      types: ['alarm.changed', 'machine-state.changed'],
      async handle(event, { tx, door }) {
        if (event.type === 'alarm.changed') return hearAlarm(deps, commands, event, { tx, door })
        const { group, edge, device, state, at } = Value.Parse(StateChanged, event.data)
        await door.execute(commands.state, systemActor(event.org), { group, edge, device, state, at }, { tx })
      },
    },
    {
      name: 'incidents.people',
      types: ['page.sent', 'retro.approved'],
      async handle(event, { tx, door }) {
        if (event.type === 'page.sent') return notePage(commands, event, { tx, door })
        const incidentId = String(event.data.incidentId)
        const row = await incidentStore(tx).find(incidentId)
        if (row?.state !== 'review') return
        await door.execute(commands.transitions.closed, systemActor(event.org), { incidentId, to: 'closed' }, { tx })
      },
    },
  ]
}

type Hearing = Parameters<EventHandler['handle']>[1]

/** A sounding alarm joins or opens an incident; a return is noted. A suppressed alarm never calls anybody. */
async function hearAlarm(deps: IncidentDeps, commands: IncidentCommands, event: OutboxEvent, { tx, door }: Hearing) {
  const alarm = Value.Parse(AlarmEvent, event.data)
  if (!alarm.occurrenceId) return
  if (alarm.transition === 'returned') {
    await incidentStore(tx).setAlarm(alarm.occurrenceId, { returned_at: new Date(alarm.eventAt) })
    return
  }
  if (!alarm.isRaised || !alarm.isAnnunciated) return
  const point = await deps.pipeline.detection.alarm(event.org, alarm.pointId)
  if (!point) return
  const input = { event: alarm, definition: point.definition }
  await door.execute(commands.sounding, systemActor(event.org), input, { tx, causeId: alarm.occurrenceId })
}

/** Who was called by an escalation stands in the incident's list and room too. */
async function notePage(commands: IncidentCommands, event: OutboxEvent, { tx, door }: Hearing): Promise<void> {
  const incidentId = event.recordId
  if (!incidentId || !(await incidentStore(tx).find(incidentId))) return
  const page = Value.Parse(Sent, event.data)
  const known = await incidentStore(tx).responder(incidentId, page.personId)
  if (known?.page_id) return
  await door.execute(commands.called, systemActor(event.org), { incidentId, ...page }, { tx })
}

const Sent = Type.Object({ pageId: Id, personId: Id, trade: nullable(Type.String()) })
