import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { NOTHING } from './batches.ts'
import { Committer, type MarksWanted } from './committer.ts'
import type { AppliedAction, Batch, EdgeMark } from './work.ts'

const mark = (edge: string): EdgeMark => ({
  edge: { org: 'org', group: 'works', edge },
  ...{ revision: 1, eventAt: null, machines: undefined },
  points: { base: undefined, changes: Buffer.alloc(0) },
  ranges: new Map(),
})
const action = (id: string): AppliedAction => ({ id, at: 0, result: { status: 'applied', state: 'A' } })
const nameOf = ({ actions, marks }: Batch) =>
  [...actions.map(({ id }) => id), ...marks.map(({ edge }) => edge.edge)].join()

/** A committer over what waits; its commits stay under way until they are let go by name. */
function committing() {
  const waiting = { actions: [] as AppliedAction[], marks: [] as EdgeMark[] }
  const underWay = new Map<string, () => void>()
  const committed: string[] = []
  const wanted: MarksWanted[] = []
  const committer = new Committer({
    take: (marks) => {
      wanted.push(marks)
      const actions = waiting.actions.splice(0)
      const taken = marks === 'all' ? waiting.marks.splice(0) : []
      return {
        batches: actions.length > 0 ? [{ ...NOTHING, actions }] : [],
        checkpoint: taken.length > 0 ? [{ ...NOTHING, marks: taken }] : [],
      }
    },
    commit: (batch) => new Promise((resolve) => void underWay.set(nameOf(batch), resolve)),
    committed: (batch) => void committed.push(nameOf(batch)),
    checkpointMs: 3_600_000,
    log: silentLog,
  })
  const finish = async (name: string) => {
    const end = underWay.get(name)
    if (!end) throw new Error(`No commit of ${name} is under way`)
    underWay.delete(name)
    end()
    await nextTurn()
  }
  const alarm = async (id: string) => {
    waiting.actions.push(action(id))
    committer.now()
    await nextTurn()
    await nextTurn()
  }
  return { waiting, underWay, committed, wanted, committer, finish, alarm }
}

describe('the commits of detection', () => {
  it('write an alarm while marks are being written', async () => {
    const { waiting, committer, committed, finish, alarm } = committing()
    waiting.marks.push(mark('line-1'))
    const settled = committer.settled()
    await nextTurn()
    await alarm('alarm')
    await finish('alarm')
    expect(committed).toEqual(['alarm'])
    await finish('line-1')
    await settled
    expect(committed).toEqual(['alarm', 'line-1'])
  })

  it('write marks only after the events that were taken with them', async () => {
    const { waiting, underWay, committer, committed, finish } = committing()
    waiting.actions.push(action('alarm'))
    waiting.marks.push(mark('line-1'))
    const settled = committer.settled()
    await nextTurn()
    expect([...underWay.keys()]).toEqual(['alarm'])
    await finish('alarm')
    await finish('line-1')
    await settled
    expect(committed).toEqual(['alarm', 'line-1'])
  })

  it('take no marks while earlier ones are being written, and take them right after', async () => {
    const { waiting, wanted, underWay, committer, finish, alarm } = committing()
    waiting.marks.push(mark('line-1'))
    const settled = committer.settled()
    await nextTurn()
    waiting.marks.push(mark('line-2'))
    const again = committer.settled()
    await alarm('alarm')
    expect([...underWay.keys()]).toEqual(['line-1', 'alarm'])
    expect(wanted).toEqual(['all', 'none'])
    await finish('alarm')
    await finish('line-1')
    expect([...underWay.keys()]).toEqual(['line-2'])
    await finish('line-2')
    await Promise.all([settled, again])
  })

  it('leave marks alone when an alarm is urgent', async () => {
    const { waiting, wanted, committer, finish, alarm } = committing()
    waiting.marks.push(mark('line-1'))
    await alarm('alarm')
    expect(wanted).toEqual(['awaited'])
    await finish('alarm')
    const closed = committer.close()
    await nextTurn()
    await finish('line-1')
    await closed
  })
})
