import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { edgeFileOf, isEdgeName } from './edge-file.ts'

describe('the edge.yaml of a new box', () => {
  it('names the box, its broker and its user, whatever YAML would make of the name', () => {
    expect(
      parse(edgeFileOf({ group: 'true', edge: '007' }, { username: 'true/007', host: 'andon.plant' })),
    ).toMatchObject({
      version: 1,
      group: 'true',
      edge: '007',
      mqtt: { url: 'mqtt://andon.plant:1883', username: 'true/007' },
      devices: [{ device: 'meter-1', profile: 'energy-meter' }],
    })
  })

  it('allows the names that the agent reads, and no others', () => {
    expect(['line-2', 'a', '7'].every(isEdgeName)).toBe(true)
    expect(['', 'Line 2', 'line_2', '-a', 'a/b', 'a'.repeat(65)].some(isEdgeName)).toBe(false)
  })
})
