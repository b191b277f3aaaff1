import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { DataType } from 'node-opcua'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseProfile } from '#shared/config/profile.ts'
import { BROWSE_DEFAULTS, discover } from './discover.ts'
import { profileYaml, uniqueKeys } from './discovery.ts'
import { NAMESPACE, startServer, type TestServer } from './testing/server.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-opcua-browse-'))
let plant: TestServer
beforeAll(async () => {
  plant = await startServer({ pki: join(root, 'server') })
  const namespace = plant.space.getOwnNamespace()
  for (const line of ['Line1', 'Line2']) {
    const folder = namespace.addObject({ browseName: line, nodeId: `s=${line}`, componentOf: plant.machine })
    for (let i = 0; i < 30; i++)
      namespace.addVariable({
        browseName: `Speed_${i}`,
        nodeId: `s=${line}.Speed_${i}`,
        componentOf: folder,
        dataType: DataType.Float,
      })
    namespace.addVariable({ browseName: 'Curve', componentOf: folder, dataType: DataType.Double, valueRank: 1 })
    // A loop in the address space, as servers have them.
    folder.addReference({ referenceType: 'Organizes', nodeId: plant.machine })
  }
})
afterAll(async () => {
  await plant.stop()
  rmSync(root, { recursive: true })
})

const found = (options = {}) =>
  discover({
    config: {
      ...{ url: plant.url, security: 'Basic256Sha256', trust: 'accept-first', publishingMs: 100 },
      ...{ server: 'unknown', alarms: 'none', timeoutMs: 5000 },
    },
    dataDir: join(root, 'edge'),
    options: { ...BROWSE_DEFAULTS, ...options },
    signal: new AbortController().signal,
  })

describe('browsing a server', { timeout: 60_000 }, () => {
  it('finds every variable once with its type, and makes a profile of them that passes the check', async () => {
    const { tags, skipped, isCut } = await found()
    const own = tags.filter(({ path }) => path[0] === 'Machine')
    expect(own.length).toBe(64)
    expect([skipped >= 2, isCut]).toEqual([true, false])
    expect(own.find(({ path }) => path.at(-1) === 'Count')).toMatchObject({
      ...{ type: 'uint64', address: `nsu=${NAMESPACE};s=Count`, path: ['Machine', 'Count'] },
    })
    const profile = parseProfile(
      profileYaml(tags, { profile: 'found', name: 'Found', assetClass: 'press' }),
      'found.yaml',
    )
    expect(profile.tags.map(({ tag }) => tag)).toContain('line1-speed-7')
    expect(new Set(profile.tags.map(({ tag }) => tag)).size).toBe(tags.length)
  })

  it('ends at its limits and says so', async () => {
    const few = await found({ maxTags: 10 })
    expect([few.tags.length, few.isCut]).toEqual([10, true])
    const shallow = await found({ maxDepth: 2 })
    expect([shallow.tags.some(({ path }) => path.length > 2), shallow.isCut]).toEqual([false, true])
  })
})

describe('the keys of found tags', () => {
  it('are the shortest ends that tell them apart', () => {
    const paths = [
      ['A', 'OilTemp'],
      ['B', 'OilTemp'],
      ['B', 'Level_1'],
      ['B', 'Level_1'],
    ]
    expect(uniqueKeys(paths)).toEqual(['a-oil-temp', 'b-oil-temp', 'b-level-1', 'b-level-1-2'])
  })

  it('are keys, each once, whatever the server calls its nodes', () => {
    const path = fc.array(fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom('a', 'A', 'a-2', '温度')), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(fc.array(path, { maxLength: 30 }), (paths) => {
        const keys = uniqueKeys(paths)
        expect(new Set(keys).size).toBe(paths.length)
        for (const key of keys) expect(key).toMatch(/^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/)
      }),
    )
  })
})
