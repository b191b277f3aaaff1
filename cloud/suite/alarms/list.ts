import { type Static, Type } from 'typebox'
import type { AlarmFilter } from '#cloud/pipeline/index.ts'
import type { Tx } from '#cloud/platform/database/database.ts'
import { Id, PageQuery } from '#shared/contracts/http.ts'
import { PRIORITIES } from '#shared/contracts/priority.ts'
import { devicesOf } from '../assets/index.ts'
import { type AlarmDeps, alarmsView } from './view.ts'

export const AlarmQuery = Type.Object({
  ...PageQuery.properties,
  show: Type.Optional(Type.Enum(['annunciated', 'shelved', 'suppressed', 'out-of-service', 'all'])),
  /** One or several, separated by commas. */
  priority: Type.Optional(Type.String({ maxLength: 100 })),
  asset: Type.Optional(Id),
  q: Type.Optional(Type.String({ maxLength: 200 })),
})
type AlarmQuery = Static<typeof AlarmQuery>

const SHOWN: Readonly<Record<string, AlarmFilter>> = {
  annunciated: { isAnnunciated: true },
  shelved: { states: ['G'] },
  suppressed: { states: ['H'] },
  'out-of-service': { states: ['I'] },
  all: {},
}

/** One page of alarm points: unacknowledged first, then priority, then newest. */
export async function listAlarms(deps: AlarmDeps, tx: Tx, org: string, query: AlarmQuery) {
  const devices = query.asset && devicesOf((await deps.assets.tree(tx)).below(query.asset))
  if (devices?.length === 0) return { items: [], nextCursor: null }
  const wanted = query.priority?.split(',') ?? []
  const priorities = PRIORITIES.filter((p) => wanted.includes(p))
  const page = await deps.pipeline.detection.alarms(org, {
    ...SHOWN[query.show ?? 'annunciated'],
    ...(priorities.length > 0 ? { priorities } : {}),
    ...(devices ? { devices } : {}),
    ...(query.q ? { text: query.q } : {}),
    ...(query.cursor ? { cursor: query.cursor } : {}),
    limit: query.limit ?? 100,
  })
  return { items: await alarmsView(deps, tx, page.items), nextCursor: page.nextCursor }
}
