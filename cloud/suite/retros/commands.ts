import { type Static, Type } from 'typebox'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import { Id } from '#shared/contracts/http.ts'
import { RetroEdit } from '#shared/contracts/retro.ts'
import { say } from '../chat/index.ts'
import { authorsOfRetro } from './authors.ts'
import { tell } from './events.ts'
import { gatherFacts, type RetroDeps } from './facts.ts'
import { isEditable, OWN_RETRO, type RetroState, retroRefusal } from './state.ts'
import { type ActionRow, type FullRetroRow, retroStore } from './store.ts'
import { missingNow, retroResource } from './view.ts'

async function lockRetro(context: CommandContext, id: string): Promise<FullRetroRow> {
  await context.records.lock(id, 'retro')
  return found(await retroStore(context.tx).find(id), 'retro', id)
}

/** What people and events may do to retros. */
export const retroCommands = (deps: RetroDeps) => ({
  draft: draftCommand(deps),
  edit: editCommand(),
  in_review: stepCommand(deps, 'retro.submit', 'in_review'),
  approved: stepCommand(deps, 'retro.approve', 'approved'),
  drafting: stepCommand(deps, 'retro.return', 'drafting'),
})

export type RetroCommands = ReturnType<typeof retroCommands>

/** Drafts the retro of an incident, once. */
function draftCommand({ incidents }: RetroDeps) {
  return defineCommand({
    name: 'retro.draft',
    input: Type.Object({ incidentId: Id }),
    resource: () => ({ type: 'retro' }),
    async run(context, { incidentId }) {
      await context.records.lock(incidentId, 'incident')
      const known = await retroStore(context.tx).ofIncident(incidentId)
      if (known) return { id: known.id }
      const incident = found(await incidents.find(context.tx, incidentId), 'incident', incidentId)
      const causeId = incident.cause_id ?? undefined
      const head = { type: 'retro', series: 'RET', title: incident.title, state: 'drafting', causeId }
      const { id, number } = await context.records.create(head)
      const open = { summary: null, facts: null, submitted_by: null, approved_by: null, approved_at: null }
      const whys = [null, null, null, null, null]
      await retroStore(context.tx).add({ id, org_id: context.org, incident_id: incidentId, whys, ...open })
      await tell(context, { id, cause_id: incident.cause_id }, 'retro.drafted', { number, incidentId })
      await say(context, incident.channel_id, { kind: 'card', recordId: id })
      return { id }
    },
  })
}

function editCommand() {
  return defineCommand({
    name: 'retro.edit',
    input: Type.Object({ retroId: Id, ...RetroEdit.properties }, { additionalProperties: false }),
    resource: async (context, input) => retroResource(await lockRetro(context, input.retroId)),
    async run(context, { retroId, summary, whys, actions }) {
      const row = await lockRetro(context, retroId)
      if (!isEditable(row.state))
        throw new DomainError('conflict', 'retro.approved', 'An approved retro stands as it is')
      await context.records.update(retroId, {}, context.ifRevision)
      const store = retroStore(context.tx)
      await store.set(retroId, {
        ...(summary === undefined ? {} : { summary }),
        ...(whys ? { whys: whys.map((why) => why || null) } : {}),
      })
      if (actions)
        await store.replaceActions(
          retroId,
          actions.map((action, i) => actionRow(context, retroId, i, action)),
        )
      const changed = Object.entries({ summary, whys, actions }).filter(([, v]) => v !== undefined)
      await tell(context, row, 'retro.changed', { fields: changed.map(([key]) => key), state: row.state })
      return { id: retroId }
    },
  })
}

type EditedAction = NonNullable<Static<typeof RetroEdit>['actions']>[number]

function actionRow(context: CommandContext, retroId: string, position: number, action: EditedAction): ActionRow {
  return {
    id: newId(),
    org_id: context.org,
    retro_id: retroId,
    position,
    text: action.text,
    type: action.type,
    owner_id: action.ownerId ?? null,
    due_at: action.dueAt ? new Date(action.dueAt) : null,
    done_at: null,
  }
}

/** One command a step, because who may submit is not who may approve. */
function stepCommand(deps: RetroDeps, name: string, to: Extract<RetroState, 'in_review' | 'approved' | 'drafting'>) {
  return defineCommand({
    name,
    input: Type.Object({ retroId: Id, reason: Type.Optional(Type.String({ maxLength: 1000 })) }),
    resource: async (context, input) => retroResource(await lockRetro(context, input.retroId)),
    async run(context, { retroId, reason = context.reason }) {
      const row = await lockRetro(context, retroId)
      const incident = found(await deps.incidents.find(context.tx, row.incident_id), 'incident', row.incident_id)
      const facts = await gatherFacts(deps, context.tx, incident)
      const actionCount = (await retroStore(context.tx).actions(retroId)).length
      const missingCount = missingNow(row, facts, actionCount).length
      const isAuthor = context.actor.id !== null && (await authorsOfRetro(context.tx, retroId)).has(context.actor.id)
      refuse(row.state, to, retroRefusal(row.state, { to, reason, missingCount, isAuthor }))
      await context.records.update(retroId, { state: to }, context.ifRevision)
      await settle(deps, context, row, { to, facts })
      const data = { incidentId: row.incident_id, reason: reason ?? null }
      await tell(context, row, EVENTS[to], data)
      return { id: retroId }
    },
  })
}

function refuse(state: RetroState, to: RetroState, code: string | undefined): void {
  if (code === OWN_RETRO) {
    throw new DomainError(
      'forbidden',
      code,
      'Who wrote or submitted a retro does not approve it; another lead or manager does',
    )
  }
  if (code) throw new DomainError('conflict', code, `The retro is ${state}; it cannot become ${to} now`)
}

const EVENTS = { in_review: 'retro.submitted', approved: 'retro.approved', drafting: 'retro.returned' } as const

/** Approval freezes the facts and clears the approvers' lists; submission puts it on them. */
async function settle(
  { directory }: RetroDeps,
  context: CommandContext,
  row: FullRetroRow,
  { to, facts }: { to: keyof typeof EVENTS; facts: NonNullable<FullRetroRow['facts']> },
): Promise<void> {
  const store = retroStore(context.tx)
  await context.inbox.complete({ recordId: row.id })
  switch (to) {
    case 'approved':
      return void (await store.set(row.id, { facts, approved_by: context.actor.id, approved_at: context.at }))
    case 'drafting': {
      await store.set(row.id, { submitted_by: null })
      if (row.submitted_by) await context.inbox.add({ ...itemOf(row), kind: 'fill', personId: row.submitted_by })
      return
    }
    case 'in_review': {
      await store.set(row.id, { submitted_by: context.actor.id })
      const approvers = await approversOf(directory, context, row.id)
      for (const { id: personId } of approvers) await context.inbox.add({ ...itemOf(row), kind: 'approve', personId })
    }
  }
}

const itemOf = (row: FullRetroRow) => ({
  recordId: row.id,
  title: row.title,
  href: `/retros/${row.number ?? row.id}`,
})

/** Managers who did not write it; where every manager did, the leads who did not. */
async function approversOf(directory: RetroDeps['directory'], context: CommandContext, retroId: string) {
  const authors = new Set([...(await authorsOfRetro(context.tx, retroId)), context.actor.id])
  const others = async (role: string) =>
    (await directory.withRole(context.tx, role)).filter((person) => !authors.has(person.id))
  const managers = await others('manager')
  return managers.length > 0 ? managers : others('lead')
}
