import { describe, expect, it } from 'vitest'
import { type Change, foldChanges } from './changes.ts'
import type { EdgeShard } from './edge-shard.ts'

const edge = (id: string) => ({ id }) as EdgeShard
const [A, B] = [edge('a'), edge('b')]
const at = (second: number) => new Date(second * 1000)
const born = (shard: EdgeShard, device: string, second: number): Change => ({
  ...{ kind: 'born', shard, at: at(second) },
  birth: { device, profile: 'p', tags: [], isNews: true },
})

describe('changes of edges, folded', () => {
  it('keep the last state of each device, whatever order edges are mixed in', () => {
    const { devices, edges } = foldChanges([
      { kind: 'began', shard: A, at: at(1), isNew: true },
      born(A, 'x', 2),
      { kind: 'began', shard: B, at: at(2), isNew: true },
      born(B, 'x', 3),
      { kind: 'ended', shard: A, at: at(4), lastMessageAt: at(3) },
      { kind: 'began', shard: A, at: at(5), isNew: true },
      born(A, 'y', 6),
    ])
    expect(devices.get('a/x')).toMatchObject({ bornAt: at(2), diedAt: at(4) })
    expect(devices.get('a/y')).toMatchObject({ bornAt: at(6), diedAt: null })
    expect(devices.get('b/x')).toMatchObject({ bornAt: at(3), diedAt: null })
    expect(edges.get('a')).toEqual({ connectedAt: at(5), disconnectedAt: at(4), lastMessageAt: at(5) })
  })

  it('let a device that died and came back be online', () => {
    const { devices } = foldChanges([{ kind: 'died', shard: A, at: at(1), device: 'x' }, born(A, 'x', 2)])
    expect(devices.get('a/x')).toMatchObject({ bornAt: at(2), diedAt: null })
  })

  it('write nothing of an edge for the same session born again', () => {
    const { edges, devices, shards } = foldChanges([{ kind: 'began', shard: A, at: at(1), isNew: false }])
    expect([edges.size, devices.size, shards.size]).toEqual([0, 0, 1])
  })
})
