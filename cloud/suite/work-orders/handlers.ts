import type { Tx } from '#cloud/platform/database/database.ts'
import { systemActor } from '#cloud/platform/door/actor.ts'
import type { Door } from '#cloud/platform/door/door.ts'
import type { EventHandler, OutboxEvent } from '#cloud/platform/outbox/event.ts'
import type { OrderCommands } from './commands.ts'
import { orderStore } from './store.ts'

/** Who accepts an incident gets an order for it; who arrives there has arrived at the order. */
export function orderHandlers(commands: OrderCommands): EventHandler[] {
  return [
    {
      name: 'work-orders.follow-incident',
      types: ['incident.accepted', 'incident.arrived'],
      async handle(event, { tx, door }) {
        const personId = event.data.personId
        if (!event.recordId || typeof personId !== 'string') return
        if (event.type === 'incident.arrived') return followArrival(commands, event, { tx, door, personId })
        const input = { incidentId: event.recordId, personId }
        await door.execute(commands.dispatch, systemActor(event.org), input, { tx })
      },
    },
  ]
}

interface Following {
  readonly tx: Tx
  readonly door: Door
  readonly personId: string
}

async function followArrival(
  commands: OrderCommands,
  event: OutboxEvent,
  { tx, door, personId }: Following,
): Promise<void> {
  const orders = await orderStore(tx).ofIncidents([event.recordId ?? ''])
  const own = orders.find((order) => order.assignee_id === personId && order.state === 'accepted')
  if (!own) return
  await door.execute(commands.work, systemActor(event.org), { orderId: own.id, to: 'arrived' }, { tx })
}
