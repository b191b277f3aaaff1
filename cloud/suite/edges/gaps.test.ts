import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EdgeGap } from '#shared/contracts/edge-gap.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import { GROUP, startTestSuite, type TestSuite } from '#tests/support/suite.ts'

let test: TestSuite
let url = ''
const EDGE = 'line-8'

beforeAll(async () => {
  test = await startTestSuite()
  const { edge } = await test.post<EdgeRegistered>('engineer', '/api/edges', { group: GROUP, edge: EDGE }, 201)
  url = `/api/edges/${edge.id}/gaps`
  const { system } = test.database.db
  const query = system.selectFrom('edges' as never).select('org_id' as never)
  const { org_id: org } = (await query.where('id' as never, '=', edge.id as never).executeTakeFirstOrThrow()) as {
    org_id: string
  }
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
  // Three of them were recorded in the same commit: their order is that of their ids.
  const rows = [0, 1, 2, 2, 2].map((minute, i) => ({
    ...{ id: `00000000-0000-7000-8000-00000000000${i}`, org_id: org, group_id: GROUP, edge: EDGE },
    ...{
      device: i === 0 ? null : `meter-${i}`,
      epoch: '1',
      first_offset: String(i),
      last_offset: String(i),
      count: '7',
    },
    ...{ cause: 'disk-limit', first_at: i === 0 ? null : at(minute), last_at: null, recorded_at: at(minute) },
  }))
  await system
    .insertInto('gaps' as never)
    .values(rows as never)
    .execute()
})
afterAll(() => test.close())

const page = (query = '') => test.get<PageOf<EdgeGap>>('operator', `${url}${query}`)

describe('the gaps of an edge', () => {
  it('are told newest first, by when they were recorded where nobody knows better', async () => {
    const { items, nextCursor } = await page()
    expect(items.map(({ device }) => device)).toEqual(['meter-2', 'meter-3', 'meter-4', 'meter-1', null])
    expect(items.at(-1)).toMatchObject({ from: '2026-01-01T00:00:00.000Z', count: '7', cause: 'disk-limit' })
    expect(nextCursor).toBeNull()
  })

  it('come page by page, none twice and none left out', async () => {
    const seen: (string | null)[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { items, nextCursor }: PageOf<EdgeGap> = await page(`?limit=2${cursor && `&cursor=${cursor}`}`)
      expect(items.length).toBeLessThanOrEqual(2)
      seen.push(...items.map(({ device }) => device))
      cursor = nextCursor
    }
    expect(seen).toEqual(['meter-2', 'meter-3', 'meter-4', 'meter-1', null])
  })

  it('refuse a cursor that this list did not give', async () => {
    const bad = Buffer.from(JSON.stringify(['yesterday'])).toString('base64url')
    expect(await test.call('operator', 'GET', `${url}?cursor=${bad}`, { status: 400 })).toMatchObject({
      code: 'page.bad-cursor',
    })
  })
})
