import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { Incidents } from '../incidents/index.ts'
import { type CardSource, plain } from '../kernel/index.ts'
import { orderCommands } from './commands.ts'
import { orderHandlers } from './handlers.ts'
import { orderRoutes } from './routes.ts'
import { ORDER_RULES } from './rules.ts'
import { type FullOrderRow, orderStore } from './store.ts'
import { type OrderViewDeps, ordersView } from './view.ts'

export type { FullOrderRow } from './store.ts'

/** Work orders, as other modules ask for them. */
export interface WorkOrders {
  readonly module: Module
  readonly cards: CardSource
}

/** The orders of incidents, oldest first. */
export function ordersOf(tx: Tx, incidentIds: readonly string[]): Promise<FullOrderRow[]> {
  return orderStore(tx).ofIncidents(incidentIds)
}

/** Wires work orders. */
export function createWorkOrders(deps: OrderViewDeps & { readonly incidents: Incidents }): WorkOrders {
  const commands = orderCommands(deps)
  return {
    cards: orderCards(deps),
    module: {
      name: 'work-orders',
      routes: (app) => orderRoutes(app, deps, commands),
      handlers: orderHandlers(commands),
      rules: ORDER_RULES,
    },
  }
}

function orderCards(deps: OrderViewDeps): CardSource {
  return {
    type: 'work-order',
    async card(tx, actor, id) {
      const row = found(await orderStore(tx).find(id), 'work-order', id)
      const order = found((await ordersView(deps, tx, actor, [row]))[0], 'work-order', id)
      const { number, title, state, revision, assignee, actions } = order
      return {
        record: { id, type: 'work-order', number, title, state, revision },
        fields: [
          ...(assignee ? [{ key: 'assignee', value: plain(assignee.name) }] : []),
          ...(order.dueAt ? [{ key: 'dueAt', value: order.dueAt }] : []),
        ],
        href: `/work-orders/${number}`,
        actions,
      }
    },
  }
}
