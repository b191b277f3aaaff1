import { Type } from 'typebox'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { Id, nullable } from '#shared/contracts/http.ts'
import { IncidentCall } from '#shared/contracts/incident.ts'
import { MachineState } from '#shared/contracts/machine-state.ts'
import { NOBODY, plain } from '../kernel/index.ts'
import { noteCalled, subjectOf } from './crew.ts'
import type { IncidentDeps } from './deps.ts'
import { tell } from './events.ts'
import { incidentResource } from './offers.ts'
import { noteSounding } from './open.ts'
import { Respond, respond } from './respond.ts'
import { noteMachineState } from './restore.ts'
import { incidentStore } from './store.ts'
import { type Target, Transition, transition } from './transition.ts'

/** The incident, its record locked until commit. */
export async function lockIncident(context: CommandContext, id: string) {
  await context.records.lock(id, 'incident')
  return found(await incidentStore(context.tx).find(id), 'incident', id)
}

async function resourceOf(context: CommandContext, id: string) {
  const row = await lockIncident(context, id)
  return incidentResource(row, await incidentStore(context.tx).responder(id, context.actor.id ?? NOBODY))
}

/** What people and events may do to incidents. */
export function incidentCommands(deps: IncidentDeps) {
  return { ...heard(deps), respond: respondCommand(deps), call: callCommand(deps), transitions: transitions(deps) }
}

export type IncidentCommands = ReturnType<typeof incidentCommands>

function heard(deps: IncidentDeps) {
  return {
    sounding: defineCommand({
      name: 'incident.note-alarm',
      input: Type.Object({ event: AlarmEvent, definition: AlarmDefinition }),
      audited: ({ event }) => ({ occurrenceId: event.occurrenceId, pointId: event.pointId }),
      resource: () => ({ type: 'incident' }),
      async run(context, { event, definition }) {
        const { occurrenceId } = event
        if (occurrenceId) await noteSounding(deps, context, { event: { ...event, occurrenceId }, definition })
        return { occurrenceId }
      },
    }),
    called: defineCommand({
      name: 'incident.note-call',
      input: Type.Object({ incidentId: Id, pageId: Id, personId: Id, trade: nullable(Type.String()) }),
      resource: () => ({ type: 'incident' }),
      async run(context, { incidentId, ...page }) {
        await noteCalled(context, await lockIncident(context, incidentId), [page])
        return { id: incidentId }
      },
    }),
    state: defineCommand({
      name: 'incident.note-state',
      input: Type.Object({
        group: Type.String(),
        edge: Type.String(),
        device: Type.String(),
        state: MachineState,
        at: Type.Number(),
      }),
      resource: () => ({ type: 'incident' }),
      async run(context, change) {
        await noteMachineState(deps, context, change)
        return { device: change.device }
      },
    }),
  }
}

function respondCommand(deps: IncidentDeps) {
  return defineCommand({
    name: 'incident.respond',
    input: Respond,
    resource: (context, input) => resourceOf(context, input.incidentId),
    async run(context, { incidentId, ...answer }) {
      await respond(deps, context, await lockIncident(context, incidentId), answer)
      return { id: incidentId }
    },
  })
}

/** One command a target, because who may contain is not who may close. */
function transitions(deps: IncidentDeps) {
  const command = (to: Target) =>
    defineCommand({
      name: `incident.${to}`,
      input: Transition,
      resource: (context, input) => resourceOf(context, input.incidentId),
      async run(context, { incidentId, reason }) {
        const why = reason ?? context.reason
        await transition(deps, context, await lockIncident(context, incidentId), { to, reason: why })
        return { id: incidentId }
      },
    })
  return {
    contained: command('contained'),
    restored: command('restored'),
    review: command('review'),
    closed: command('closed'),
    cancelled: command('cancelled'),
  }
}

function callCommand(deps: IncidentDeps) {
  return defineCommand({
    name: 'incident.call',
    input: Type.Object({ incidentId: Id, ...IncidentCall.properties }, { additionalProperties: false }),
    resource: (context, input) => resourceOf(context, input.incidentId),
    async run(context, { incidentId, personIds, note }) {
      const incident = await lockIncident(context, incidentId)
      const known = await deps.directory.refs(context.tx, personIds)
      const unknown = personIds.filter((id) => !known.has(id))
      if (unknown.length > 0)
        throw new DomainError('invalid', 'person.unknown', `Nobody has the id ${unknown.join(', ')}`)
      const subject = subjectOf(incident, note ? plain(note) : undefined)
      await noteCalled(context, incident, await deps.notifications.pagePeople(context, subject, personIds))
      await tell(context, incident, 'incident.called', { people: personIds, note: note ?? null })
      return { id: incidentId }
    },
  })
}
