import type { Granted, OpcuaSession } from './connection.ts'
import { chunks, type ItemRequest, type PlannedSubscription } from './plan.ts'

type Services = Pick<OpcuaSession, 'createSubscription' | 'createItems'>
type OnRefused = (item: ItemRequest, status: string) => void

/**
 * Makes a subscription and its items, one request after the other: some servers answer parallel ones with errors. An item that
 * is refused is told and costs no other. Rejects when the server takes no subscription or a request fails as a whole.
 */
export async function createItems(
  session: Services,
  granted: Granted,
  { batches }: PlannedSubscription,
  onRefused: OnRefused,
): Promise<void> {
  for (const batch of batches) {
    const refused = await inPieces(session, granted.id, batch)
    const { filters = [], others = [] } = Object.groupBy(refused, (one) =>
      isFilterRefusal(one) ? 'filters' : 'others',
    )
    // The edge applies the deadband itself, whoever else does.
    const plain = filters.map(({ item }) => ({ ...item, deadband: undefined }))
    const refusedAgain = plain.length === 0 ? [] : await inPieces(session, granted.id, plain)
    for (const { item, status } of [...others, ...refusedAgain]) onRefused(item, status)
  }
}

const isFilterRefusal = ({ item, status }: Refused) => item.deadband !== undefined && /Filter|Deadband/.test(status)
/** How a server says that a request is larger than it takes. */
const isTooLarge = ({ message }: Error) => /BadTooManyOperations|TooLarge|BadEncodingLimitsExceeded/.test(message)

interface Refused {
  readonly item: ItemRequest
  readonly status: string
}

async function inPieces(session: Services, subscription: number, items: readonly ItemRequest[]): Promise<Refused[]> {
  try {
    const statuses = await session.createItems(subscription, items)
    return items.flatMap((item, i) => {
      const status = statuses[i]
      return status === undefined ? [] : [{ item, status }]
    })
  } catch (error) {
    if (items.length === 1 || !isTooLarge(error as Error)) throw error
    const refused: Refused[] = []
    for (const half of chunks(items, Math.ceil(items.length / 2)))
      refused.push(...(await inPieces(session, subscription, half)))
    return refused
  }
}
