import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Asset } from '#shared/contracts/asset.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import { connectScriptedEdge, type ScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { GROUP, startTestSuite, type TestSuite } from '#tests/support/suite.ts'
import { UNASSIGNED } from './create.ts'

let test: TestSuite
let edge: ScriptedEdge

beforeAll(async () => {
  test = await startTestSuite()
  const body = { group: GROUP, edge: 'line-9' }
  const { secret } = await test.post<{ secret: string }>('engineer', '/api/edges', body, 201)
  edge = await connectScriptedEdge({ port: test.pipeline.mqtt.port, ...body, secret })
  await edge.birth(0n, 0n)
})
afterAll(async () => {
  await edge?.close()
  await test?.close()
})

const assets = async () => (await test.get<PageOf<Asset>>('operator', '/api/assets')).items

/** The asset of the device, as soon as it is in the tree. */
const assetOf = (device: string) =>
  test.eventually(async () => (await assets()).find((asset) => asset.device?.device === device))

describe('a device that nobody has placed is born', () => {
  it.each([
    ['equipment-module', 'without a machine-state tag', 'meter-9', { profile: 'energy-meter' }],
    ['equipment-module', 'of no profile', 'mystery-9', {}],
    ['work-unit', 'whose profile tells a machine state', 'press-9', { profile: 'screw-compressor' }],
  ])('stands as %s when it is a device %s', async (kind, _, device, born) => {
    const tags = [{ tag: 'power', alias: 100 + device.length, type: 'double', value: 1 }] as const
    await edge.deviceBirth(device, tags, born)
    const asset = await assetOf(device)
    expect(asset).toMatchObject({ kind, code: device.toUpperCase() })
    expect(asset.path.map((one) => one.code)).toEqual([UNASSIGNED])
  })

  it('is placed once, however often it is born', async () => {
    await edge.deviceBirth('meter-9', [{ tag: 'power', alias: 107, type: 'double', value: 2 }], {
      profile: 'energy-meter',
    })
    await edge.deviceBirth('last-9', [{ tag: 'power', alias: 200, type: 'double', value: 2 }])
    await assetOf('last-9')
    const meters = (await assets()).filter((asset) => asset.device?.device === 'meter-9')
    expect(meters).toHaveLength(1)
  })
})
