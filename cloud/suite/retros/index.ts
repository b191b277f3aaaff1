import { systemActor } from '#cloud/platform/door/actor.ts'
import { found } from '#cloud/platform/errors.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { EventHandler } from '#cloud/platform/outbox/event.ts'
import { type CardSource, LEADS, offersFor, STAFF } from '../kernel/index.ts'
import { type RetroCommands, retroCommands } from './commands.ts'
import type { RetroDeps } from './facts.ts'
import { retroRoutes } from './routes.ts'
import { retroStore } from './store.ts'
import { retroResource } from './view.ts'

export type { RetroDeps } from './facts.ts'
export { retroOf } from './store.ts'

/** Incidents of these severities get a retro; a trivial one does not. */
const DESERVING = ['S1', 'S2', 'S3']

/** A restored incident has a retro in draft at once; one closed by hand gets it then. */
function draftHandler(deps: RetroDeps, commands: RetroCommands): EventHandler {
  return {
    name: 'retros.draft',
    types: ['incident.restored', 'incident.review-started', 'incident.closed'],
    async handle(event, { tx, door }) {
      const incident = event.recordId ? await deps.incidents.find(tx, event.recordId) : undefined
      if (!incident || !DESERVING.includes(incident.severity)) return
      await door.execute(commands.draft, systemActor(event.org), { incidentId: incident.id }, { tx })
    },
  }
}

/** Wires retros. */
export function createRetros(deps: RetroDeps): { readonly module: Module; readonly cards: CardSource } {
  const commands = retroCommands(deps)
  const types = ['retro']
  return {
    cards: retroCards(deps),
    module: {
      name: 'retros',
      routes: (app) => retroRoutes(app, deps, commands),
      handlers: [draftHandler(deps, commands)],
      rules: [
        { name: 'staff-see-retros', roles: STAFF, actions: ['retro.view'] },
        {
          name: 'crew-writes-retros',
          roles: ['technician', 'engineer', 'operator', ...LEADS],
          actions: ['retro.edit', 'retro.submit'],
          types,
        },
        { name: 'leads-decide-retros', roles: LEADS, actions: ['retro.approve', 'retro.return'], types },
      ],
    },
  }
}

function retroCards({ door }: RetroDeps): CardSource {
  return {
    type: 'retro',
    async card(tx, actor, id) {
      const row = found(await retroStore(tx).find(id), 'retro', id)
      const { number, title, state, revision } = row
      const record = { id, type: 'retro', number, title, state, revision }
      const acts = state === 'drafting' ? [{ action: 'edit', ask: 'retro.edit' }] : []
      return {
        record,
        fields: [],
        href: `/retros/${number ?? id}`,
        actions: offersFor(door, actor, retroResource(row), acts),
      }
    },
  }
}
