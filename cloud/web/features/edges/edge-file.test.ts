import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { EdgeBroker } from '#shared/contracts/edge.ts'
import {
  archiveCommandOf,
  cannotReach,
  checkoutCommandOf,
  edgeCommandOf,
  edgeFileOf,
  isEdgeName,
  needsRoot,
  rootCommandOf,
  startCommandOf,
} from './edge-file.ts'

const BROKER = { url: null, port: 2883, tlsPort: 8883, isLocal: false, rootFingerprint: 'AB:CD' }

function fileFor(host: string, named: { group?: string; edge?: string } = {}, broker: EdgeBroker = BROKER) {
  const { group, edge } = { group: 'plant', edge: 'line-1', ...named }
  return parse(edgeFileOf({ group, edge }, { username: `${group}/${edge}`, host, broker }))
}

describe('the edge.yaml of a new box', () => {
  it('names the box and its user, whatever YAML would make of the name', () => {
    expect(fileFor('localhost', { group: 'true', edge: '007' })).toMatchObject({
      version: 1,
      group: 'true',
      edge: '007',
      mqtt: { username: 'true/007' },
      devices: [{ device: 'meter-1', profile: 'energy-meter' }],
    })
  })

  it('uses the plain port on this machine alone', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      expect(fileFor(host).mqtt).toEqual({ url: `mqtt://${host}:2883`, username: 'plant/line-1' })
    }
  })

  it('uses TLS with the root of the installation from anywhere else', () => {
    expect(fileFor('andon.plant').mqtt).toEqual({
      url: 'mqtts://andon.plant:8883',
      username: 'plant/line-1',
      caFile: './root.pem',
    })
    expect(needsRoot({ host: 'andon.plant', broker: BROKER })).toBe(true)
    expect(rootCommandOf('https://andon.plant')).toContain('-fo root.pem https://andon.plant/ca ')
  })

  it('names no root where the operator brought the certificate', () => {
    const broker = { ...BROKER, rootFingerprint: null }
    expect(fileFor('andon.plant', {}, broker).mqtt).toEqual({
      url: 'mqtts://andon.plant:8883',
      username: 'plant/line-1',
    })
    expect(needsRoot({ host: 'andon.plant', broker })).toBe(false)
  })

  it('names an external broker as it is', () => {
    const broker = { ...BROKER, url: 'mqtts://mq.plant:8884', tlsPort: null, rootFingerprint: null }
    for (const host of ['localhost', 'andon.plant']) {
      expect(fileFor(host, {}, broker).mqtt.url).toBe('mqtts://mq.plant:8884')
      expect(cannotReach({ host, broker })).toBe(false)
    }
  })

  it('knows when the box will find no open port', () => {
    const broker = { ...BROKER, isLocal: true }
    expect(cannotReach({ host: 'andon.plant', broker })).toBe(true)
    expect(cannotReach({ host: 'andon.plant', broker: BROKER })).toBe(false)
    expect(cannotReach({ host: 'localhost', broker })).toBe(false)
  })

  it('starts it with a page of its own beside the edge of a demo on the same machine', () => {
    expect(edgeCommandOf('andon.plant')).toBe('ANDON_EDGE_SECRET=… npx andon edge --config edge.yaml')
    expect(edgeCommandOf('localhost')).toBe(`ANDON_EDGE_PORT=8091 ${edgeCommandOf('andon.plant')}`)
  })

  it('enrols by the line of the archive, and by that of a checkout', () => {
    const command = 'andon edge enroll --cloud https://andon.plant:8443 --code abc'
    expect(archiveCommandOf(command)).toBe('sudo andon-edge enroll --cloud https://andon.plant:8443 --code abc')
    expect(checkoutCommandOf(command)).toBe(`npx ${command}`)
    expect(startCommandOf('localhost')).toBe('ANDON_EDGE_PORT=8091 npx andon edge --config edge.yaml')
  })

  it('allows the names that the agent reads, and no others', () => {
    expect(['line-2', 'a', '7'].every(isEdgeName)).toBe(true)
    expect(['', 'Line 2', 'line_2', '-a', 'a/b', 'a'.repeat(65)].some(isEdgeName)).toBe(false)
  })
})
